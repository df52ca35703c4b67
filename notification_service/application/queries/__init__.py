"""What only looks; one use case a file."""
