"""A workflow service whose workflows listen while events come, until it is killed: for tests that kill it.

Writes a line for each event that was acknowledged.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Final

import msgspec

from tests.component.workflow_service.world import world
from workflow_service.application.caller import Caller
from workflow_service.application.commands.publish_definition import PublishDefinition
from workflow_service.application.commands.publish_events import IncomingEvent, PublishEvents
from workflow_service.application.commands.start_execution import StartExecution

LISTENERS: Final = 20
COLLECT: Final = """
document: {dsl: '1.0.3', namespace: test, name: collect, version: '1.0.0'}
do:
- hear:
    listen:
      to: {any: [{with: {type: tick}}], until: {one: {with: {type: stop}}}}
"""
ADA: Final = Caller("ada", "default")


def tick(number: int, kind: str = "tick") -> IncomingEvent:
    """One event; the same number is the same event."""
    data = msgspec.json.encode(number)
    return IncomingEvent(id=str(number), source="/clock", type=kind, data=data, extensions={})


async def _main(folder: Path) -> None:
    async with world(folder) as opened:
        commands = opened.service.app.commands
        wanted = PublishDefinition("default", "author", COLLECT.encode(), "application/yaml")
        await commands.publish_definition(wanted)
        for _ in range(LISTENERS):
            await commands.start_execution(StartExecution(ADA, "test", "collect", None, {}))
        number = 0
        while True:
            number += 1
            await commands.publish_events(PublishEvents(ADA, (tick(number),)))
            sys.stdout.write(f"sent {number}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(_main(Path(sys.argv[1])))
