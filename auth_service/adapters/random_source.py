"""Chance from the operating system."""

import secrets


class SystemRandomness:
    """The port `Randomness`."""

    def token_bytes(self, count: int) -> bytes:
        """*count* bytes that nobody can predict."""
        return secrets.token_bytes(count)
