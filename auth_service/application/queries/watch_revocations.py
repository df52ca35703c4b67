"""WatchRevocations: every replica of every service learns which sessions are dead."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from auth_service.application.ports import Revocation, Revocations
from chassis.clock import Clock

HEARTBEAT = 1.0
"""Seconds between looks at the store, each of which ends in a sign of life."""

_PAGE = 500


@dataclass(frozen=True, slots=True)
class WatchRevocations:
    """Revocations behind the position *after*: those still of use, then live ones, without end."""

    after: int


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """Nothing more is known at the moment: whoever has read so far is up to date."""


@dataclass(frozen=True, slots=True)
class WatchRevocationsHandler:
    """Says `Heartbeat` after every look at the store, so that a lost feed is noticed.

    The store is looked at when it says that there is something new, and every second regardless:
    what another replica revokes arrives in time, too.
    """

    revocations: Revocations
    clock: Clock
    heartbeat: float = HEARTBEAT

    async def __call__(self, query: WatchRevocations) -> AsyncIterator[Revocation | Heartbeat]:
        position = query.after
        while True:
            known = self.revocations.known()
            page = await self.revocations.after(position, now=self.clock.now(), limit=_PAGE)
            for revocation in page:
                position = revocation.position
                yield revocation
            if len(page) < _PAGE:
                # What is dropped is not waited for.
                position = max(position, known)
                yield Heartbeat()
                await self.revocations.wait(position, seconds=self.heartbeat)
