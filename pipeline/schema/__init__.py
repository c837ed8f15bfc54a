"""What front matter may say, and the tables that it becomes."""
