"""Load: Parquet parts, snapshots that publish all tables at once, and the DuckDB catalog on top."""
