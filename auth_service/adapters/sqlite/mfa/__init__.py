"""Second factors on SQLite."""
