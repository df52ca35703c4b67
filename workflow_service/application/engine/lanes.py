"""Reads the intake for each tenant by itself, so that none waits for what another one's events lead to."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from chassis.errors import ServiceError, Unavailable
from chassis.lifecycle import Supervisor
from chassis.telemetry.logging import get_logger
from workflow_service.application.event_ports import Intake
from workflow_service.domain.events import ReceivedEvent

_log = get_logger("workflow_service.lanes")

BATCH: Final = 200
"""How many events of a tenant are heard together."""
LOOK: Final = 1_000
"""How many events are looked at together to see whose they are."""
_FIRST_DELAY, _LONGEST_DELAY = 0.1, 5.0

HearTenant = Callable[[str, Sequence[ReceivedEvent]], Awaitable[None]]
"""Does all that follows from some events of a tenant, durably; after a crash it gets events again."""


class Lanes:
    """Hands each tenant's events over in order, tenants side by side.

    The reader's place is that of the slowest tenant; what others have heard beyond it, they hear again after a crash.

    Args:
        intake: has the events.
        name: of the reader; its place is kept under this name.
        hear: what is done with the events of a tenant.
        supervisor: runs the lanes.
    """

    def __init__(self, intake: Intake, name: str, hear: HearTenant, supervisor: Supervisor) -> None:
        self._intake = intake
        self._name = name
        self._hear = hear
        self._supervisor = supervisor
        self._places: dict[str, int] = {}
        """Of each tenant that has events to hear: up to where it has heard."""
        self._ends: dict[str, int] = {}
        """The same: up to where there is something to hear."""
        self._place = self._saved = -1
        """Up to where it has looked, and what it has kept of that; below 0: it is to begin at the kept place."""
        self._lost = False
        """Whether events that were seen could not be read: then its own place is worth nothing any more."""

    async def run(self) -> None:
        """Read for ever."""
        delay = _FIRST_DELAY
        while True:
            try:
                await self._read_on()
                delay = _FIRST_DELAY
            except Unavailable as failure:
                _log.warning("intake_waits", reader=self._name, reason=failure.message)
                await asyncio.sleep(delay)
                delay = min(delay * 2, _LONGEST_DELAY)

    async def _read_on(self) -> None:
        """Look once; begin again at the kept place when events that were seen could not be read."""
        if self._place < 0:
            self._place = self._saved = await self._intake.load_checkpoint(self._name)
        self._place, idle = await self._look(self._place)
        if self._lost:
            self._lost, self._place = False, -1
            await asyncio.sleep(_FIRST_DELAY)
            return
        slowest = min([self._place, *self._places.values()])
        if slowest > self._saved:
            await self._intake.save_checkpoint(self._name, slowest)
            self._saved = slowest
        if idle:
            await self._intake.wait(self._place)

    async def _look(self, place: int) -> tuple[int, bool]:
        """Give every tenant that has new events a lane; return the place come to, and whether there was nothing new."""
        found = await self._intake.owners(place, LOOK)
        if self._lost:  # a lane from here on would leave out what was lost
            return place, False
        for position, tenant in found:
            self._ends[tenant] = position
            if tenant not in self._places:
                self._places[tenant] = position - 1
                _ = self._supervisor.spawn("lane", self._serve(tenant))
        return (found[-1][0] if found else place), not found

    async def _serve(self, tenant: str) -> None:
        delay = _FIRST_DELAY
        while self._places[tenant] < self._ends[tenant]:
            try:
                if not await self._step(tenant):
                    self._lost = True
                    break
                delay = _FIRST_DELAY
            except Exception as failure:  # noqa: BLE001 - it holds up this tenant only, and is tried again
                known = isinstance(failure, ServiceError)
                _log.warning("lane_waits", tenant=tenant, exc_info=None if known else failure)
                await asyncio.sleep(delay)
                delay = min(delay * 2, _LONGEST_DELAY)
        del self._places[tenant], self._ends[tenant]

    async def _step(self, tenant: str) -> bool:
        """Have some events heard; False when there are none although they were seen.

        Another process hears them then, or has: where this one goes on, only the kept place tells.
        """
        arrived = await self._intake.read(self._places[tenant], BATCH, tenant)
        if not arrived:
            return False
        await self._hear(tenant, [each.event for each in arrived])
        self._places[tenant] = arrived[-1].event.position
        return True
