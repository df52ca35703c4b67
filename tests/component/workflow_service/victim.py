"""A workflow service that starts executions until it is killed: for tests that kill it.

Writes a line for each start that was acknowledged, and for each call that a workflow made.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from tests.component.workflow_service.workflows import EVERY
from tests.component.workflow_service.world import Callees, world
from workflow_service.application.caller import Caller
from workflow_service.application.commands.publish_definition import PublishDefinition
from workflow_service.application.commands.start_execution import StartExecution
from workflow_service.domain.execution.effects import Effect, Outcome, Succeeded
from workflow_service.domain.expressions import JsonValue


def _say(*words: str) -> None:
    sys.stdout.write(" ".join(words) + "\n")
    sys.stdout.flush()


def _answer(effect: Effect) -> Outcome:
    _say("called", effect.key)
    return Succeeded(effect.call.body)  # type: ignore[arg-type, union-attr]


async def _main(folder: Path) -> None:
    async with world(folder, callees=Callees(_answer)) as opened:
        commands = opened.service.app.commands
        for definition in EVERY:
            content = definition.encode()
            wanted = PublishDefinition("default", "author", content, "application/yaml")
            await commands.publish_definition(wanted)
        caller = Caller("ada", "default")

        async def start(workflow: str) -> None:
            while True:
                data: JsonValue = {"name": "x", "who": "x"}
                begun = await commands.start_execution(
                    StartExecution(caller, "test", workflow, None, data)
                )
                _say("started", begun.execution, workflow)

        async with asyncio.TaskGroup() as group:
            for workflow in ("greet", "call", "nap", "fail"):
                group.create_task(start(workflow))


if __name__ == "__main__":
    asyncio.run(_main(Path(sys.argv[1])))
