"""Who listens to which inbox, in this process."""

import asyncio
import contextlib
from collections.abc import Collection, Iterator

from notification_service.domain.recipient import Recipient


class EventBell:
    """A bell that remembers one ring until somebody asks."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def ring(self) -> None:
        """Wake who waits, or who will."""
        self._event.set()

    async def rung(self) -> None:
        """Wait until it has rung since the last call."""
        await self._event.wait()
        self._event.clear()


class Bells:
    """The bells that hang, by recipient."""

    def __init__(self) -> None:
        self._hung: dict[Recipient, set[EventBell]] = {}

    @contextlib.contextmanager
    def hang(self, recipient: Recipient) -> Iterator[EventBell]:
        """Hang up a bell for the time of the context."""
        bell = EventBell()
        self._hung.setdefault(recipient, set()).add(bell)
        try:
            yield bell
        finally:
            self._hung[recipient].discard(bell)
            if not self._hung[recipient]:
                del self._hung[recipient]

    @property
    def recipients(self) -> Collection[Recipient]:
        """Whose bells hang."""
        return self._hung.keys()

    def ring(self, recipient: Recipient) -> None:
        """Ring those of *recipient*."""
        for bell in self._hung.get(recipient, ()):
            bell.ring()
