"""The page: all reports as one HTML file that needs no network, opens from the disk and prints."""
