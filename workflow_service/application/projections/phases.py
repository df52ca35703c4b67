"""What a fact tells besides itself: phases of the workflow and of its tasks, as lifecycle events of their own.

Source: Open Workflow Specification, DSL, "Lifecycle Events" and "Status Phases"; DSL reference, "Workflow Status Changed
Event", "Task Suspended Event", "Task Resumed Event", "Task Status Changed Event".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from workflow_service.application.ports import Recorded
from workflow_service.application.projections.fact_types import TASK, WORKFLOW
from workflow_service.application.projections.history import About, Data
from workflow_service.domain.execution.events import (
    TaskCancelled,
    TaskCompleted,
    TaskCreated,
    TaskEvent,
    TaskFaulted,
    TaskRetried,
    TaskStarted,
)
from workflow_service.domain.execution.listeners import Listening
from workflow_service.domain.execution.state import Sleeping, Status
from workflow_service.domain.execution.workflow_events import (
    WorkflowAccepted,
    WorkflowCancelled,
    WorkflowCompleted,
    WorkflowEvent,
    WorkflowFaulted,
    WorkflowResumed,
    WorkflowRetried,
    WorkflowStarted,
    WorkflowSuspended,
)

WORKFLOW_PHASE: Final = WORKFLOW + "status-changed.v1"
TASK_PHASE: Final = TASK + "status-changed.v1"
TASK_SUSPENDED: Final = TASK + "suspended.v1"
TASK_RESUMED: Final = TASK + "resumed.v1"

OPTIONAL: Final = frozenset({WORKFLOW_PHASE, TASK_PHASE})
"""Types that the standard leaves to runtimes, since other events say the same."""

_OF_WORKFLOW: Final[dict[type[WorkflowEvent | TaskEvent], Status]] = {
    WorkflowAccepted: "pending",
    WorkflowStarted: "running",
    WorkflowSuspended: "suspended",
    WorkflowResumed: "running",
    WorkflowRetried: "running",
    WorkflowCancelled: "cancelled",
    WorkflowFaulted: "faulted",
    WorkflowCompleted: "completed",
}
_OF_TASK: Final[dict[type[WorkflowEvent | TaskEvent], Status]] = {
    TaskCreated: "pending",
    TaskStarted: "running",
    TaskRetried: "running",
    TaskCancelled: "cancelled",
    TaskFaulted: "faulted",
    TaskCompleted: "completed",
}
_OF_ALL_TASKS: Final = {WorkflowSuspended: TASK_SUSPENDED, WorkflowResumed: TASK_RESUMED}


class Told(Struct, frozen=True):
    """One more event that follows from a fact."""

    type: str
    name: str
    """What tells it from the others of the same fact."""
    data: Data


def types_besides(kind: type[WorkflowEvent | TaskEvent]) -> tuple[str, ...]:
    """Return the types of what facts of a kind tell besides themselves."""
    if kind in _OF_ALL_TASKS:
        return (WORKFLOW_PHASE, TASK_PHASE, _OF_ALL_TASKS[kind])
    if kind in _OF_WORKFLOW:
        return (WORKFLOW_PHASE,)
    return (TASK_PHASE,) if kind in _OF_TASK else ()


def told_besides(about: About, recorded: Recorded) -> Iterator[Told]:
    """Yield all that *recorded* tells besides itself."""
    event, at = recorded.event, recorded.at
    phase = _OF_WORKFLOW.get(type(event))
    if phase is not None:
        data = {"name": about.qualified_name, "updatedAt": at, "status": phase}
        yield Told(WORKFLOW_PHASE, "status", data)
    if isinstance(event, TaskEvent) and type(event) in _OF_TASK:
        yield _task_phase(about, recorded, event.task, _phase_of(event), "status")
    if isinstance(event, WorkflowSuspended | WorkflowResumed):
        suspended = isinstance(event, WorkflowSuspended)
        for number, task in enumerate(event.tasks):
            data = {"workflow": about.qualified_name, "task": task}
            data |= {"suspendedAt" if suspended else "resumedAt": at}
            yield Told(_OF_ALL_TASKS[type(event)], f"task/{number}", data)
            status: Status = "suspended" if suspended else "running"
            yield _task_phase(about, recorded, task, status, f"status/{number}")


def _phase_of(event: TaskEvent) -> Status:
    waits = isinstance(event, TaskStarted) and isinstance(event.activity, Sleeping | Listening)
    return "waiting" if waits else _OF_TASK[type(event)]


def _task_phase(about: About, recorded: Recorded, task: str, status: Status, name: str) -> Told:
    data = {"workflow": about.qualified_name, "task": task}
    return Told(TASK_PHASE, name, data | {"updatedAt": recorded.at, "status": status})
