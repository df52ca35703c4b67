"""Where dead letters are kept, and what offers them again."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from chassis.messaging.port import CloudEvent
from notification_service.domain.dead_letter import DeadLetter, DeadLetterFilter, KeptDeadLetter


class DeadLetters(Protocol):
    """What was given up, until somebody has seen to it.

    Every method raises `chassis.errors.Unavailable` when the store cannot be reached or cannot
    write; nothing has then been changed.
    """

    async def keep(self, letter: DeadLetter) -> None:
        """Keep it durably. One with its id stays where it is, with what is new and one time more."""
        ...

    async def get(self, tenant: str, letter_id: str) -> KeptDeadLetter | None:
        """The tenant's letter; None when there is none, or it is another tenant's."""
        ...

    async def page(
        self, tenant: str, wanted: DeadLetterFilter, *, before: int | None, limit: int
    ) -> Sequence[KeptDeadLetter]:
        """Up to *limit* of the tenant's letters, newest first, with positions below *before*."""
        ...

    async def remove(self, tenant: str, letter_id: str) -> bool:
        """Forget it; whether it was there."""
        ...

    async def count(self) -> int:
        """How many there are."""
        ...


Redeliver = Callable[[str, CloudEvent], Awaitable[None]]
"""Offers an event again to one subscription; see `chassis.messaging.port.Bus.redeliver`."""
