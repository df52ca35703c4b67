"""PurgeExpired: what no answer depends on any more is dropped."""

from dataclasses import dataclass

from auth_service.application.ports import Outbox, Sessions, SigningKeys
from chassis.clock import Clock


@dataclass(frozen=True, slots=True)
class PurgeExpired:
    """Drop expired sessions, forgotten revocations, expired keys and published events."""


@dataclass(frozen=True, slots=True)
class PurgeExpiredHandler:
    """Every part is independent of the others."""

    sessions: Sessions
    keys: SigningKeys
    outbox: Outbox
    clock: Clock

    async def __call__(self, command: PurgeExpired) -> None:
        now = self.clock.now()
        await self.sessions.purge(now)
        await self.keys.purge(now)
        await self.outbox.purge()
