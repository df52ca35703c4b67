"""Reads the intake in order, and never loses its place."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from chassis.errors import Unavailable
from chassis.telemetry.logging import get_logger
from workflow_service.application.event_ports import Arrived, Intake

_log = get_logger("workflow_service.intake")

BATCH: Final = 200
"""How many events are handed over together."""
_FIRST_DELAY, _LONGEST_DELAY = 0.1, 5.0

Hear = Callable[[Sequence[Arrived]], Awaitable[None]]
"""Does all that follows from some events, durably.

After a crash it gets events again, so it must know which of them it has heard. ``Unavailable`` asks for the same events
again, later.
"""


class IntakeReader:
    """Hands all events to one who hears them.

    Args:
        intake: has the events.
        name: of the reader; its place is kept under this name.
        hear: what is done with them.
    """

    def __init__(self, intake: Intake, name: str, hear: Hear) -> None:
        self._intake = intake
        self._name = name
        self._hear = hear
        self._delay = _FIRST_DELAY

    async def run(self) -> None:
        """Read for ever."""
        place: int | None = None
        while True:
            try:
                if place is None:
                    place = await self._intake.load_checkpoint(self._name)
                place = await self.step(place)
            except Unavailable as failure:
                _log.warning("intake_waits", reader=self._name, reason=failure.message)
                await asyncio.sleep(self._delay)
                self._delay = min(self._delay * 2, _LONGEST_DELAY)
            else:
                self._delay = _FIRST_DELAY

    async def step(self, place: int) -> int:
        """Hear some events after *place*, or wait for more; return the place come to.

        Raises:
            Unavailable: the store or whoever hears cannot go on now.
        """
        events = await self._intake.read(place, BATCH)
        if not events:
            await self._intake.wait(place)
            return place
        await self._hear(events)
        place = events[-1].event.position
        await self._intake.save_checkpoint(self._name, place)
        return place
