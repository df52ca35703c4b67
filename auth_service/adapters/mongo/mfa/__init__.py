"""Second factors on MongoDB."""
