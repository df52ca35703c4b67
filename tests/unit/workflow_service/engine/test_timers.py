"""What looks after timers ends when it is told to, whatever happens at the same moment."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

import pytest

from chassis.lifecycle import Supervisor
from tests.support.time import ManualClock
from workflow_service.application.engine.fire_timers import Timers


class NothingDue:
    """A store without timers."""

    async def due(self, now: datetime, limit: int) -> Sequence[str]:
        return ()

    async def next_wake(self) -> datetime | None:
        return None


async def nobody(*_: object) -> None:
    raise AssertionError("nobody is woken")


@pytest.mark.parametrize("turns", range(4))
async def test_a_stop_soon_after_news_of_a_timer_is_heeded(turns: int) -> None:
    clock = ManualClock()
    async with Supervisor() as supervisor:
        timers = Timers(cast("Any", NothingDue()), clock, supervisor, nobody)
        running = asyncio.create_task(timers.run())
        for _ in range(10):
            await asyncio.sleep(0)
        timers.expect(clock.now())
        for _ in range(turns):
            await asyncio.sleep(0)

        _ = running.cancel()

        ended, _ = await asyncio.wait([running], timeout=20)
        assert running in ended
