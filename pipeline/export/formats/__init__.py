"""Write the rows of a query, one module per format."""
