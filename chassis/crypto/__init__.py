"""Encryption of what is kept: keys in a file, keys that they wrap, and what those seal."""
