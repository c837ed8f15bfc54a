"""One module for each format that an export can write."""
