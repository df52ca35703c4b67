"""What every capability needs: chance, a way out for events, and tidying up."""

from datetime import datetime
from typing import Protocol


class Randomness(Protocol):
    """Chance that nobody can predict."""

    def token_bytes(self, count: int) -> bytes:
        """*count* random bytes."""
        ...


class Perishables(Protocol):
    """A store some of whose rows end with time."""

    async def purge(self, now: datetime) -> None:
        """Drop what no answer depends on after *now*."""
        ...


class Outbox(Protocol):
    """Events on their way out. Writing to it is part of the writes that they tell of."""

    async def purge(self) -> None:
        """Drop those that everybody who reads it has passed on."""
        ...
