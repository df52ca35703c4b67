"""``metadata.compensate``: tasks that undo a task, which the standard leaves to runtimes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from workflow_service.domain.definition.model import CompensateTask
from workflow_service.domain.definition.pointers import child
from workflow_service.domain.definition.vocabulary import COMPENSATE
from workflow_service.domain.expressions import JsonValue

if TYPE_CHECKING:
    from workflow_service.domain.definition.building import Builder, Scope

COMPENSATED: Final = "compensated"
"""The variable by which these tasks see what they undo."""
_WITHIN: Final = "/metadata/compensate/"


def compensation_of(reference: str) -> str:
    """Return the reference of what undoes the task at *reference*."""
    return child(reference, *COMPENSATE)


def read_compensation(
    builder: Builder, task: dict[str, JsonValue], name: str, reference: str, scope: Scope
) -> bool:
    """Read what undoes *task*; whether there is anything."""
    metadata = task.get("metadata")
    if not isinstance(metadata, dict) or "compensate" not in metadata:
        return False
    tasks, place = metadata["compensate"], compensation_of(reference)
    problem = _problem_of(tasks, reference)
    if problem is not None:
        builder.problem(place, problem)
        return False
    do = builder.task_list(builder, tasks, place, scope.knowing(COMPENSATED))
    builder.tasks[place] = CompensateTask(name=name, reference=place, document={}, do=do)
    return True


def _problem_of(tasks: JsonValue, reference: str) -> str | None:
    if _WITHIN in reference:
        return "a compensation cannot be compensated"
    if not isinstance(tasks, list) or not tasks:
        return "must be a list of tasks, with one at least"
    for entry in tasks:
        if not isinstance(entry, dict) or len(entry) != 1:
            return "each entry must have exactly one member: the name of a task, with the task"
        if not all(isinstance(task, dict) for task in entry.values()):
            return "each task must be an object"
    return None
