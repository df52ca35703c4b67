"""The auth service behind its real entrypoint."""
