"""What came in, for the one process that hands it out."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from chassis.storage.mongo_leading import Leadership
from workflow_service.application.event_ports import Arrived, Intake

PATIENCE: Final = 0.5
"""Seconds between two looks of a process that does not lead."""


class LedIntake:
    """An ``Intake`` of which only the leader sees events; where it ends, all may ask."""

    def __init__(self, intake: Intake, leads: Leadership) -> None:
        self._intake = intake
        self._leads = leads

    async def read(self, after: int, limit: int, tenant: str | None = None) -> Sequence[Arrived]:
        """See the port."""
        return await self._intake.read(after, limit, tenant) if await self._leads() else ()

    async def owners(self, after: int, limit: int) -> Sequence[tuple[int, str]]:
        """See the port."""
        return await self._intake.owners(after, limit) if await self._leads() else ()

    async def end(self) -> int:
        """See the port."""
        return await self._intake.end()

    async def load_checkpoint(self, reader: str) -> int:
        """See the port."""
        return await self._intake.load_checkpoint(reader)

    async def save_checkpoint(self, reader: str, position: int) -> None:
        """See the port."""
        await self._intake.save_checkpoint(reader, position)

    async def wait(self, after: int) -> None:
        """See the port."""
        if await self._leads():
            await self._intake.wait(after)
        else:
            await asyncio.sleep(PATIENCE)
