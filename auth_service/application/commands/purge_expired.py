"""PurgeExpired: what no answer depends on any more is dropped."""

from collections.abc import Sequence
from dataclasses import dataclass

from auth_service.application.ports import Outbox, Perishables
from chassis.clock import Clock


@dataclass(frozen=True, slots=True)
class PurgeExpired:
    """Drop what has ended in every store, and published events."""


@dataclass(frozen=True, slots=True)
class PurgeExpiredHandler:
    """Every part is independent of the others."""

    stores: Sequence[Perishables]
    outbox: Outbox
    clock: Clock

    async def __call__(self, command: PurgeExpired) -> None:
        now = self.clock.now()
        for store in self.stores:
            await store.purge(now)
        await self.outbox.purge()
