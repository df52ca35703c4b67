"""The facts about the whole of an execution; see ``events``.

Source of the public types: Open Workflow Specification, DSL, "Lifecycle Events".
"""

from __future__ import annotations

from datetime import datetime
from typing import TypeAlias

import msgspec
from msgspec import UNSET, UnsetType

from workflow_service.domain.execution.origin import Origin
from workflow_service.domain.execution.problem import Problem
from workflow_service.domain.execution.state import Open
from workflow_service.domain.expressions import JsonValue


class WorkflowEvent(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="e"):
    """A fact about the whole execution."""


class WorkflowAccepted(WorkflowEvent, frozen=True, tag="accepted"):
    """From here on the execution is never lost."""

    execution: str
    namespace: str
    name: str
    version: str
    digest: str
    tenant: str
    owner: str
    input: JsonValue
    priority: int = 0
    tags: JsonValue = None
    run_at: datetime | None = None
    origin: Origin | None = None
    trace: str = ""


class WorkflowStarted(WorkflowEvent, frozen=True, tag="started"):
    """It began."""

    input: JsonValue | UnsetType = UNSET
    """The transformed input, where it differs from the raw one."""
    deadline: datetime | None = None


class WorkflowSuspended(WorkflowEvent, frozen=True, tag="suspended"):
    """Halted by a person."""

    reason: str = ""
    by: str = ""
    tasks: list[str] = []
    """References of the tasks that were under way."""


class WorkflowResumed(WorkflowEvent, frozen=True, tag="resumed"):
    """Goes on."""

    reason: str = ""
    by: str = ""
    tasks: list[str] = []
    """References of the tasks that go on with it."""


class WorkflowRetried(WorkflowEvent, frozen=True, tag="retried"):
    """A faulted execution was taken up again at *position*."""

    position: Open
    task: str = ""
    reason: str = ""
    by: str = ""


class WorkflowRecovered(WorkflowEvent, frozen=True, tag="recovered"):
    """Another owner took it over; effects without a recorded outcome are performed again, with the same key."""

    owner: str
    effects: list[str] = []
    """Frames whose effect is repeated."""


class WorkflowCancelled(WorkflowEvent, frozen=True, tag="cancelled"):
    """Ended by a person."""

    reason: str = ""
    by: str = ""


class WorkflowFaulted(WorkflowEvent, frozen=True, tag="faulted"):
    """Ended by an error that nothing caught."""

    error: Problem


class WorkflowCompleted(WorkflowEvent, frozen=True, tag="completed"):
    """Ran to completion."""

    output: JsonValue


class CorrelationStarted(WorkflowEvent, frozen=True, tag="correlation-started"):
    """It began to wait for events."""

    task: str
    """Reference of the task that waits."""
    frame: str = ""


class CorrelationCompleted(WorkflowEvent, frozen=True, tag="correlation-completed"):
    """It has had all the events that it waited for."""

    task: str
    frame: str = ""
    keys: dict[str, str] = {}
    """What the events had in common, by the names of correlations."""


class CompensationStarted(WorkflowEvent, frozen=True, tag="compensation-started"):
    """Before it ends, what it has completed is undone."""

    error: Problem | None = None
    """What it will fault with; None: it was cancelled."""
    reason: str = ""
    by: str = ""


WorkflowFact: TypeAlias = (
    WorkflowAccepted
    | WorkflowStarted
    | WorkflowSuspended
    | WorkflowResumed
    | WorkflowRetried
    | WorkflowRecovered
    | WorkflowCancelled
    | WorkflowFaulted
    | WorkflowCompleted
    | CorrelationStarted
    | CorrelationCompleted
    | CompensationStarted
)
