"""A log that one of several processes publishes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeAlias

from chassis.messaging.port import CloudEvent
from chassis.messaging.relay import EventLog

Leads: TypeAlias = Callable[[], Awaitable[bool]]
"""Whether this process is the one; may raise Unavailable."""
PATIENCE: Final = 0.5
"""Seconds between two looks of a process that does not lead."""


class LedLog:
    """An ``EventLog`` of which only the leader has entries."""

    def __init__(self, log: EventLog, leads: Leads) -> None:
        self._log = log
        self._leads = leads
        self._name = ""
        self._from: int | None = None
        """Where the checkpoint was when this process began to lead."""

    async def load_checkpoint(self, name: str) -> int:
        """See the port."""
        self._name = name
        return await self._log.load_checkpoint(name)

    async def save_checkpoint(self, name: str, position: int) -> None:
        """See the port."""
        await self._log.save_checkpoint(name, position)

    async def read_log(self, after: int, limit: int) -> Sequence[tuple[int, CloudEvent]]:
        """Return entries, or nothing while another process publishes them."""
        if not await self._leads():
            self._from = None
            return ()
        if self._from is None:
            self._from = await self._log.load_checkpoint(self._name)
        return await self._log.read_log(max(after, self._from), limit)

    async def wait_for_log(self, after: int) -> None:
        """See the port; whoever does not lead only looks now and then whether that has changed."""
        if self._from is None:
            await asyncio.sleep(PATIENCE)
        else:
            await self._log.wait_for_log(max(after, self._from))
