"""``run``: other workflows, and processes.

Source: Open Workflow Specification, DSL reference, "Run", "Workflow Process".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, cast

from workflow_service.domain.definition.building import Builder, Scope
from workflow_service.domain.definition.local_processes import (
    read_container,
    read_script,
    read_shell,
)
from workflow_service.domain.definition.model import Task
from workflow_service.domain.definition.pointers import child
from workflow_service.domain.definition.processes import LATEST, RunWorkflowTask
from workflow_service.domain.definition.task_base import BaseMembers
from workflow_service.domain.expressions import JsonValue, Template


def read_run(
    builder: Builder, task: dict[str, JsonValue], base: BaseMembers, scope: Scope
) -> Task | None:
    """Read a ``run`` task; None when it is refused."""
    run, place = cast("dict[str, JsonValue]", task["run"]), child(base["reference"], "run")
    for kind, read in _READERS.items():
        if kind in run:
            return read(builder, run, base, scope)
    for kind in run:
        if builder.refused(f"task.run.{kind}", child(place, kind)):
            return None
    return None


def _workflow(
    builder: Builder, run: dict[str, JsonValue], base: BaseMembers, scope: Scope
) -> Task | None:
    place = child(base["reference"], "run", "workflow")
    wanted = cast("dict[str, JsonValue]", run["workflow"])

    def part(name: str, default: str = "") -> Template:
        return builder.template(wanted.get(name, default), child(place, name), scope)

    return RunWorkflowTask(
        **base,
        awaited=run.get("await") is not False,
        namespace=part("namespace"),
        workflow=part("name"),
        version=part("version", LATEST),
        input=part("input") if "input" in wanted else None,
        silent=run.get("return") == "none",
    )


_READERS: Final[
    Mapping[str, Callable[[Builder, dict[str, JsonValue], BaseMembers, Scope], Task | None]]
] = {
    "container": read_container,
    "script": read_script,
    "shell": read_shell,
    "workflow": _workflow,
}
"""How each kind is read, from the members of ``run``; a kind without a reader has its row in NOT_YET."""
