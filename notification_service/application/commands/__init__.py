"""What changes something; one use case a file."""
