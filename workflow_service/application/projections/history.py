"""Facts of a history as the public sees them: types and members of the DSL, and some of ours.

Source: Open Workflow Specification, DSL reference, "Lifecycle Events".
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, TypeAlias

import msgspec
from msgspec import UNSET

from workflow_service.application.ports import Recorded, Summary
from workflow_service.application.projections.masking import shown_call
from workflow_service.domain.execution.events import (
    ErrorCaught,
    EventEmitted,
    IterationStarted,
    OutcomeRecorded,
    RetryScheduled,
    TaskCancelled,
    TaskCompleted,
    TaskCreated,
    TaskEvent,
    TaskFaulted,
    TaskRetried,
    TaskSkipped,
    TaskStarted,
    WorkflowAccepted,
    WorkflowCancelled,
    WorkflowCompleted,
    WorkflowEvent,
    WorkflowFaulted,
    WorkflowRecovered,
    WorkflowResumed,
    WorkflowRetried,
    WorkflowStarted,
    WorkflowSuspended,
)
from workflow_service.domain.execution.state import Performing, Sleeping

WORKFLOW: Final = "io.serverlessworkflow.workflow."
TASK: Final = "io.serverlessworkflow.task."
OWN: Final = "io.autoworker.workflow."

TYPES: Final[dict[type[WorkflowEvent | TaskEvent], str]] = {
    WorkflowAccepted: OWN + "execution-accepted.v1",
    WorkflowStarted: WORKFLOW + "started.v1",
    WorkflowSuspended: WORKFLOW + "suspended.v1",
    WorkflowResumed: WORKFLOW + "resumed.v1",
    WorkflowRetried: OWN + "execution-retried.v1",
    WorkflowRecovered: OWN + "execution-recovered.v1",
    WorkflowCancelled: WORKFLOW + "cancelled.v1",
    WorkflowFaulted: WORKFLOW + "faulted.v1",
    WorkflowCompleted: WORKFLOW + "completed.v1",
    TaskCreated: TASK + "created.v1",
    TaskSkipped: OWN + "task-skipped.v1",
    TaskStarted: TASK + "started.v1",
    IterationStarted: OWN + "iteration-started.v1",
    OutcomeRecorded: OWN + "outcome-recorded.v1",
    EventEmitted: OWN + "event-emitted.v1",
    TaskCompleted: TASK + "completed.v1",
    TaskFaulted: TASK + "faulted.v1",
    TaskCancelled: TASK + "cancelled.v1",
    ErrorCaught: OWN + "error-caught.v1",
    RetryScheduled: OWN + "retry-scheduled.v1",
    TaskRetried: TASK + "retried.v1",
}
"""Public type of every kind of fact."""

Data: TypeAlias = dict[str, Any]

_WorkflowFact: TypeAlias = (
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
_TaskProgress: TypeAlias = (
    TaskCreated | TaskSkipped | TaskStarted | IterationStarted | TaskCompleted | TaskCancelled
)
_TaskTrouble: TypeAlias = (
    OutcomeRecorded | EventEmitted | TaskFaulted | ErrorCaught | RetryScheduled | TaskRetried
)


class HistoryItem(msgspec.Struct, frozen=True):
    """One fact; *data* is a JSON object once msgspec has encoded it."""

    sequence: int
    type: str
    time: datetime
    data: Data


class About(msgspec.Struct, frozen=True):
    """Which execution a history is about."""

    execution: str
    namespace: str
    name: str
    version: str

    @classmethod
    def of(cls, summary: Summary) -> About:
        """Return what *summary* says."""
        return cls(summary.execution, summary.namespace, summary.name, summary.version)

    @property
    def qualified_name(self) -> str:
        """Name of the execution as the DSL makes it of the workflow's name and namespace."""
        return f"{self.name}-{self.execution}.{self.namespace}"

    @property
    def definition(self) -> Data:
        """The DSL's reference to a definition."""
        return {"name": self.name, "namespace": self.namespace, "version": self.version}


def history_item(about: About, recorded: Recorded) -> HistoryItem:
    """Return *recorded*, a fact of the execution that is *about*, for the public."""
    event, at = recorded.event, recorded.at
    match event:
        case (
            WorkflowAccepted()
            | WorkflowStarted()
            | WorkflowSuspended()
            | WorkflowResumed()
            | WorkflowRetried()
            | WorkflowRecovered()
            | WorkflowCancelled()
            | WorkflowFaulted()
            | WorkflowCompleted()
        ):
            data = {"name": about.qualified_name} | _of_workflow(event, about, at)
        case (
            OutcomeRecorded()
            | EventEmitted()
            | TaskFaulted()
            | ErrorCaught()
            | RetryScheduled()
            | TaskRetried()
        ):
            data = _of_task(event, about) | _of_trouble(event, at)
        case _:
            data = _of_task(event, about) | _of_progress(event, at)
    return HistoryItem(recorded.sequence, TYPES[type(event)], at, data)


def _of_workflow(event: _WorkflowFact, about: About, at: datetime) -> Data:
    match event:
        case WorkflowAccepted():
            return {"definition": about.definition, "input": event.input} | _given(
                priority=event.priority, tags=event.tags, run_at=event.run_at
            )
        case WorkflowStarted():
            started = {"definition": about.definition, "startedAt": at}
            return started | _given(input=event.input, deadline=event.deadline)
        case WorkflowSuspended():
            return {"suspendedAt": at} | _given(reason=event.reason, by=event.by)
        case WorkflowResumed():
            return {"resumedAt": at} | _given(reason=event.reason, by=event.by)
        case WorkflowRetried():
            # The position it was taken up at is the engine's own, and holds credentials.
            return {"retriedAt": at} | _given(task=event.task, reason=event.reason, by=event.by)
        case WorkflowRecovered():
            return {"recoveredAt": at, "repeats": event.effects}
        case WorkflowCancelled():
            return {"cancelledAt": at} | _given(reason=event.reason, by=event.by)
        case WorkflowFaulted():
            return {"faultedAt": at, "error": event.error}
        case WorkflowCompleted():
            return {"completedAt": at, "output": event.output}


def _of_task(event: TaskEvent, about: About) -> Data:
    return {"workflow": about.qualified_name, "task": event.task} | _given(frame=event.frame)


def _of_progress(event: _TaskProgress, at: datetime) -> Data:
    match event:
        case TaskCreated():
            return {"createdAt": at} | _given(input=event.input)
        case TaskSkipped():
            return {"skippedAt": at}
        case TaskStarted():
            return (
                {"startedAt": at}
                | _given(input=event.input, deadline=event.deadline)
                | _doing(event)
            )
        case IterationStarted():
            return {"startedAt": at, "iteration": event.iteration}
        case TaskCompleted():
            return {"completedAt": at, "output": event.output}
        case TaskCancelled():
            return {"cancelledAt": at}


def _of_trouble(event: _TaskTrouble, at: datetime) -> Data:
    match event:
        case OutcomeRecorded():
            return {"recordedAt": at} | _given(output=event.output, error=event.error)
        case EventEmitted():
            return {"emittedAt": at, "event": event.event}
        case TaskFaulted():
            return {"faultedAt": at, "error": event.error}
        case ErrorCaught():
            return {"caughtAt": at, "error": event.error}
        case RetryScheduled():
            # The first attempt is no retry.
            return {"error": event.error, "attempt": event.retries + 1, "until": event.until}
        case TaskRetried():
            retried = {"retriedAt": at, "attempt": event.retries + 1}
            return retried | _given(deadline=event.deadline)


def _doing(event: TaskStarted) -> Data:
    match event.activity:
        case Sleeping(until):
            return {"until": until}
        case Performing(effect):
            return {"effect": effect.key, "call": shown_call(effect.call)}
        case _:
            return {}


def _given(**members: Any) -> Data:
    """Return the members that say something; a null that was written is told, an absence is not."""
    return {
        name: value
        for name, value in members.items()
        if value is not UNSET and (name in _TOLD_AS_NULL or (value is not None and value != ""))
    }


_TOLD_AS_NULL: Final = frozenset({"input", "output"})
