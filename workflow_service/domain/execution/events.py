"""The facts of an execution's history, in the past tense.

Tags are the stored format: they never change meaning. Fields that say what can be derived are left out, so that a
pure task costs two short facts. When an event happened is recorded once per commit, beside the events.

Source of the public types: Open Workflow Specification, DSL, "Lifecycle Events".
"""

from __future__ import annotations

from datetime import datetime
from typing import TypeAlias

import msgspec
from msgspec import UNSET, UnsetType

from workflow_service.domain.execution.problem import Problem
from workflow_service.domain.execution.state import LiveActivity, Open
from workflow_service.domain.expressions import JsonValue


class WorkflowEvent(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="e"):
    """A fact about the whole execution."""


class TaskEvent(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="e"):
    """A fact about one task."""

    task: str
    """Reference of the task."""
    frame: str = ""
    """Id of its frame when it is not the reference itself (inside loops, functions, after jumps back)."""

    @property
    def frame_id(self) -> str:
        """Id of the frame that this is about."""
        return self.frame or self.task


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


class WorkflowStarted(WorkflowEvent, frozen=True, tag="started"):
    """It began."""

    input: JsonValue | UnsetType = UNSET
    """The transformed input, where it differs from the raw one."""
    deadline: datetime | None = None


class WorkflowSuspended(WorkflowEvent, frozen=True, tag="suspended"):
    """Halted by a person."""

    reason: str = ""
    by: str = ""


class WorkflowResumed(WorkflowEvent, frozen=True, tag="resumed"):
    """Goes on."""

    reason: str = ""
    by: str = ""


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


class TaskCreated(TaskEvent, frozen=True, tag="task-created"):
    """It is its turn."""

    parent: str = ""
    index: int = 0
    round: int = 0
    branch: int = -1
    input: JsonValue | UnsetType = UNSET
    """Its raw input, where that is not simply what its list has come to."""


class TaskSkipped(TaskEvent, frozen=True, tag="task-skipped"):
    """Its condition did not hold."""


class TaskStarted(TaskEvent, frozen=True, tag="task-started"):
    """It began; *activity* is what it now does or waits for, none for a task that ends at once."""

    input: JsonValue | UnsetType = UNSET
    """The transformed input, where it differs from the raw one."""
    activity: LiveActivity | None = None
    deadline: datetime | None = None


class IterationStarted(TaskEvent, frozen=True, tag="iteration-started"):
    """A loop took its next item."""

    iteration: int = 0
    each: str = "item"
    at: str = "index"


class OutcomeRecorded(TaskEvent, frozen=True, tag="outcome-recorded"):
    """An effect ended while the execution was suspended."""

    output: JsonValue | UnsetType = UNSET
    error: Problem | None = None


class EventEmitted(TaskEvent, frozen=True, tag="event-emitted"):
    """A CloudEvent was published: the log is the outbox."""

    event: dict[str, JsonValue] = {}


class TaskCompleted(TaskEvent, frozen=True, tag="task-completed"):
    """It ended well."""

    output: JsonValue = None
    context: JsonValue | UnsetType = UNSET
    """The new context, where the task exported one."""


class TaskFaulted(TaskEvent, frozen=True, tag="task-faulted", kw_only=True):
    """It ended in an error, its own or one from inside."""

    error: Problem


class TaskCancelled(TaskEvent, frozen=True, tag="task-cancelled"):
    """It was stopped: another branch won or faulted, or a time ran out."""


class ErrorCaught(TaskEvent, frozen=True, tag="error-caught", kw_only=True):
    """A ``try`` caught an error; *variable* is set when its handler now runs."""

    error: Problem
    variable: str = ""


class RetryScheduled(TaskEvent, frozen=True, tag="retry-scheduled", kw_only=True):
    """A ``try`` will run its tasks again."""

    error: Problem
    until: datetime
    retries: int
    """How many retries there have been, this one included."""
    first_fault_at: datetime


class TaskRetried(TaskEvent, frozen=True, tag="task-retried"):
    """A ``try`` runs its tasks again."""

    retries: int = 0
    deadline: datetime | None = None
    """When this attempt is given up."""


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
)
TaskFact: TypeAlias = (
    TaskCreated
    | TaskSkipped
    | TaskStarted
    | IterationStarted
    | OutcomeRecorded
    | EventEmitted
    | TaskCompleted
    | TaskFaulted
    | TaskCancelled
    | ErrorCaught
    | RetryScheduled
    | TaskRetried
)
Event: TypeAlias = WorkflowFact | TaskFact
