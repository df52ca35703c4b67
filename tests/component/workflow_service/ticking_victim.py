"""A workflow service that starts a workflow by its schedule until it is killed: for tests that kill it."""

from __future__ import annotations

import asyncio
import sys
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from tests.component.workflow_service.world import World, world

BEAT = """\
document: {dsl: 1.0.3, namespace: test, name: beat, version: 1.0.0, metadata: {schedule: {missed: all}}}
schedule: {every: {milliseconds: 100}}
do: [{a: {set: {x: 1}}}]
"""


def beating(folder: Path) -> AbstractAsyncContextManager[World]:
    """The service, which lets schedules tick that fast and makes up for all that they miss."""
    return world(
        folder, AUTOWORKER_LIMIT_SCHEDULE_SECONDS="0.1", AUTOWORKER_LIMIT_SCHEDULE_MISSED="10000"
    )


async def _main(folder: Path) -> None:
    async with beating(folder) as opened:
        ada = opened.user("ada")
        await ada.publish(BEAT)
        while len((await ada.list(name="beat", limit=20)).executions) < 10:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        sys.stdout.write("ticking\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_main(Path(sys.argv[1])))
