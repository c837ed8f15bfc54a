"""One run, from its plan to the published snapshot."""
