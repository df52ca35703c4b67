"""The intake and the subscriptions over a process's line to the store."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from tests.simulation.memory_events import MemoryEvents
from tests.simulation.network import Line
from workflow_service.application.event_ports import Arrived, EventPorts, Waiting
from workflow_service.domain.execution.listening import Shape

_LOOK = 1.0
"""Seconds between two looks at an intake that had nothing new."""


def event_ports(events: MemoryEvents, line: Line) -> EventPorts:
    """What an engine needs to serve listeners."""
    remote = RemoteEvents(events, line)
    return EventPorts(remote, remote)


@dataclass(frozen=True, slots=True)
class RemoteEvents:
    """The ``Intake`` and ``Subscriptions`` ports."""

    events: MemoryEvents
    line: Line

    async def read(self, after: int, limit: int, tenant: str | None = None) -> Sequence[Arrived]:
        """See ``Intake``."""
        return await self.line.ask(lambda: self.events.read(after, limit, tenant))

    async def owners(self, after: int, limit: int) -> Sequence[tuple[int, str]]:
        """See ``Intake``."""
        return await self.line.ask(lambda: self.events.owners(after, limit))

    async def end(self) -> int:
        """See ``Intake``."""
        return await self.line.ask(lambda: self.events.end)

    async def load_checkpoint(self, reader: str) -> int:
        """See ``Intake``."""
        return await self.line.ask(lambda: self.events.readers.get(reader, 0))

    async def save_checkpoint(self, reader: str, position: int) -> None:
        """See ``Intake``. Only what is deleted depends on it, and here nothing is."""

        def work() -> None:
            self.events.readers[reader] = max(position, self.events.readers.get(reader, 0))

        await self.line.ask(work, writes=True)

    async def wait(self, after: int) -> None:
        """Look again and again."""
        await asyncio.sleep(_LOOK)

    async def shapes(self, tenant: str, type: str) -> Sequence[Shape]:
        """See ``Subscriptions``."""
        return await self.line.ask(lambda: self.events.shapes(tenant, type))

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
        """See ``Subscriptions``."""
        return await self.line.ask(
            lambda: self.events.waiting(tenant, shape, key, position, after, limit)
        )

    async def count(self, tenant: str, limit: int) -> int:
        """See ``Subscriptions``."""
        return await self.line.ask(lambda: self.events.count(tenant, limit))
