"""Performs ``call: asyncapi``; see publishing.py and documents.py."""
