"""The data dictionary: every table and view with its columns and what it reads."""
