"""What only looks. Nothing here ever writes."""
