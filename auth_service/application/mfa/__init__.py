"""What several use cases of second factors have in common."""
