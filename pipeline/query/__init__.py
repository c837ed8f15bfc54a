"""Questions to a warehouse: SQL, frames, differences, timelines."""
