"""What the workflow service needs from the world to hear events: one order of all that came, and who waits for what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec

from workflow_service.domain.events import ReceivedEvent
from workflow_service.domain.execution.listening import Shape


class Arrived(msgspec.Struct, frozen=True):
    """An event in the intake. Its position is that of the event itself."""

    tenant: str
    """Whose it is: nobody else may hear it."""
    event: ReceivedEvent


class Intake(Protocol):
    """Every event that came, whoever sent it, in one order: from outside, from ``emit``, from the bus.

    An event is in it once, by tenant, source and id. Positions grow, have holes and are never used again; whatever is
    committed before an event is seen together with it. What every reader has passed may be deleted.
    """

    async def read(self, after: int, limit: int, tenant: str | None = None) -> Sequence[Arrived]:
        """Return events in order, those with a position above *after*; only those of *tenant*, if one is named."""
        ...

    async def owners(self, after: int, limit: int) -> Sequence[tuple[int, str]]:
        """Return in order position and tenant of the events above *after*."""
        ...

    async def end(self) -> int:
        """Return a position that is not below that of any event that has come, and below those of all to come."""
        ...

    async def load_checkpoint(self, reader: str) -> int:
        """Return the position that *reader* saved last; a new reader begins with all that is there."""
        ...

    async def save_checkpoint(self, reader: str, position: int) -> None:
        """Remember that *reader* has done everything that follows from the events up to *position*."""
        ...

    async def wait(self, after: int) -> None:
        """Return when there may be events above the position *after*, and after some seconds in any case."""
        ...


class Waiting(msgspec.Struct, frozen=True, order=True):
    """A listener that may want an event."""

    execution: str
    frame: str
    number: int
    """Of its subscription."""


class Subscriptions(Protocol):
    """Who waits for what; changed in the commits of those who wait, so that it is never older than they are."""

    async def shapes(self, tenant: str, type: str) -> Sequence[Shape]:
        """Return the filters by which somebody of *tenant* waits for events of *type*, or of any type."""
        ...

    async def waiting(
        self,
        tenant: str,
        type: str,
        shape: Shape,
        key: str,
        position: int,
        after: Waiting | None,
        limit: int,
    ) -> Sequence[Waiting]:
        """Return in order who waits by a filter, beyond *after*; fewer than *limit* at the end only.

        Args:
            tenant: whose.
            type: of the event.
            shape: the filter.
            key: by which they are found; those without one are found by any.
            position: of the event; who began to wait later is left out.
            after: where the last page ended.
            limit: how many at the most.
        """
        ...

    async def count(self, tenant: str, limit: int) -> int:
        """Return how many subscriptions *tenant* has, counting no further than *limit*."""
        ...


@dataclass(frozen=True, slots=True)
class EventPorts:
    """All that listening needs."""

    intake: Intake
    subscriptions: Subscriptions
