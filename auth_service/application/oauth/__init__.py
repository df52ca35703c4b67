"""What the use cases of OAuth share."""
