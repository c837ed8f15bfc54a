"""Transform: documents become tidy tables."""
