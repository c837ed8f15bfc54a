"""Reports that SQL alone cannot make: from a connection with the facts of `sql/views/` to tables."""
