"""Schedules of a real service that is killed, and comes back."""

from __future__ import annotations

import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

from tests.component.workflow_service.ticking_victim import beating
from tests.component.workflow_service.world import User
from tests.support.time import eventually


def killed_while_ticking(folder: Path) -> None:
    arguments = [sys.executable, "-m", f"{__package__}.ticking_victim", str(folder)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert "ticking\n" in process.stdout
        process.send_signal(signal.SIGKILL)


async def ticks(user: User) -> list[datetime]:
    """For which ticks executions were started, the earliest first."""
    page = await user.list(name="beat", limit=200)
    return sorted(each.schedule.at.ToDatetime(UTC) for each in page.executions)


async def test_no_tick_is_lost_or_started_twice_when_the_service_is_killed(tmp_path: Path) -> None:
    killed_while_ticking(tmp_path)
    async with beating(tmp_path) as back:
        ada = back.user("ada")
        before = (await ticks(ada))[-1]

        async def goes_on() -> bool:
            return (await ticks(ada))[-1] >= before + timedelta(seconds=2)

        await eventually(goes_on, within=20)
        found = await ticks(ada)

    gaps = {later - earlier for earlier, later in pairwise(found)}
    assert gaps == {timedelta(milliseconds=100)}
