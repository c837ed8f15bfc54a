"""What workers do: one part, or one stretch of a history, from files to Parquet."""
