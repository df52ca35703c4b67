"""One module per row."""
