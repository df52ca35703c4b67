"""The facts of an execution's history, in the past tense; those about the whole of it are in ``workflow_events``.

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
from workflow_service.domain.execution.state import Extending, LiveActivity
from workflow_service.domain.execution.workflow_events import WorkflowFact
from workflow_service.domain.expressions import JsonValue


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


class TaskExtended(TaskEvent, frozen=True, tag="task-extended", kw_only=True):
    """The tasks that an extension puts before or after it begin."""

    activity: Extending
    extensions: list[int]
    """Which extensions of the definition apply, the outermost first."""
    input: JsonValue | UnsetType = UNSET
    """The transformed input, where it differs from the raw one."""


class IterationStarted(TaskEvent, frozen=True, tag="iteration-started"):
    """A loop took its next item, or a listener the next event."""

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


class EventReceived(TaskEvent, frozen=True, tag="event-received"):
    """A listener took an event from the intake."""

    position: int = 0
    """Its place in the intake: no event at or below it is taken any more."""
    id: str = ""
    source: str = ""
    type: str = ""
    item: JsonValue | UnsetType = UNSET
    """What the task reads of it; unset when it only counts for ``until``."""
    keys: dict[str, str] = {}
    """The correlation values that are expected from now on."""
    met: int = -1
    """Which of the filters that must all have an event has had its own."""
    closed: bool = False
    """Whether this was the last one."""


class MessagesTaken(TaskEvent, frozen=True, tag="messages-taken"):
    """A subscription took of the messages that had just come those that pass its filter."""

    taken: list[int] = []
    """Their positions among those that came."""
    closed: bool = False
    """Whether it waits for no more: its time is over."""


class EventConsumed(TaskEvent, frozen=True, tag="event-consumed"):
    """A listener is done with the oldest event, or a subscription with the oldest message, that it had taken."""

    output: JsonValue | UnsetType = UNSET
    """What came of it, where that is not simply the event."""
    context: JsonValue | UnsetType = UNSET
    """The new context, where something was exported."""


class TaskCompleted(TaskEvent, frozen=True, tag="task-completed"):
    """It ended well."""

    output: JsonValue = None
    context: JsonValue | UnsetType = UNSET
    """The new context, where the task exported one."""
    compensable: bool = False
    """Whether it can be undone."""
    raw_output: JsonValue | UnsetType = UNSET
    """Of one that can be undone, where that differs from the output."""


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


class TaskCompensating(TaskEvent, frozen=True, tag="task-compensating"):
    """It is being undone."""


class TaskCompensated(TaskEvent, frozen=True, tag="task-compensated"):
    """It is undone."""


TaskFact: TypeAlias = (
    TaskCreated
    | TaskSkipped
    | TaskStarted
    | TaskExtended
    | IterationStarted
    | OutcomeRecorded
    | EventEmitted
    | EventReceived
    | EventConsumed
    | MessagesTaken
    | TaskCompleted
    | TaskFaulted
    | TaskCancelled
    | ErrorCaught
    | RetryScheduled
    | TaskRetried
    | TaskCompensating
    | TaskCompensated
)
Event: TypeAlias = WorkflowFact | TaskFact
