"""Documents to tidy tables."""
