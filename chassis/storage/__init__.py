"""Connections to stores, not repositories."""
