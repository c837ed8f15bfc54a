"""What DuckDB shows: the catalog, its views and checks, and the data dictionary."""
