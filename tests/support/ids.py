"""Identifiers that tests can predict."""

import itertools


class CountingIds:
    """Counts: `id-1`, `id-2`, and so on; padded, so that they sort as they were made."""

    def __init__(self, prefix: str = "id") -> None:
        self._prefix = prefix
        self._numbers = itertools.count(1)

    def new(self) -> str:
        """The next one."""
        return f"{self._prefix}-{next(self._numbers):06d}"
