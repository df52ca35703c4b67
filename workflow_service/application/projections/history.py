"""Facts of a history as the public sees them: types and members of the DSL, and some of ours.

Source: Open Workflow Specification, DSL reference, "Lifecycle Events".
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, TypeAlias

import msgspec
from msgspec import UNSET

from workflow_service.application.ports import Recorded, Summary
from workflow_service.application.projections.fact_types import (
    TYPES,
    Correlation,
    TaskProgress,
    TaskTrouble,
    WorkflowFact,
)
from workflow_service.application.projections.masking import shown_call
from workflow_service.domain.execution.events import (
    ErrorCaught,
    EventConsumed,
    EventEmitted,
    EventReceived,
    IterationStarted,
    MessagesTaken,
    OutcomeRecorded,
    RetryScheduled,
    TaskCancelled,
    TaskCompensated,
    TaskCompensating,
    TaskCompleted,
    TaskCreated,
    TaskEvent,
    TaskExtended,
    TaskFaulted,
    TaskRetried,
    TaskSkipped,
    TaskStarted,
)
from workflow_service.domain.execution.origin import ParentTask, ScheduledStart
from workflow_service.domain.execution.state import Performing, Sleeping
from workflow_service.domain.execution.workflow_events import (
    CompensationStarted,
    CorrelationCompleted,
    CorrelationStarted,
    WorkflowAccepted,
    WorkflowCancelled,
    WorkflowCompleted,
    WorkflowFaulted,
    WorkflowRecovered,
    WorkflowResumed,
    WorkflowRetried,
    WorkflowStarted,
    WorkflowSuspended,
)

Data: TypeAlias = dict[str, Any]


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
            | CompensationStarted()
        ):
            data = {"name": about.qualified_name} | _of_workflow(event, about, at)
        case CorrelationStarted() | CorrelationCompleted():
            data = {"name": about.qualified_name} | _of_correlation(event, at)
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


def _of_workflow(  # noqa: C901 - a table, a row a fact
    event: WorkflowFact, about: About, at: datetime
) -> Data:
    match event:
        case WorkflowAccepted():
            return {"definition": about.definition, "input": event.input} | _given(
                priority=event.priority, tags=event.tags, run_at=event.run_at, **_origin(event)
            )
        case WorkflowStarted():
            started = {"definition": about.definition, "startedAt": at}
            return started | _given(input=event.input, deadline=event.deadline)
        case WorkflowSuspended():
            given = _given(reason=event.reason, by=event.by, tasks=event.tasks or None)
            return {"suspendedAt": at} | given
        case WorkflowResumed():
            given = _given(reason=event.reason, by=event.by, tasks=event.tasks or None)
            return {"resumedAt": at} | given
        case WorkflowRetried():
            # The position it was taken up at is the engine's own, and holds credentials.
            return {"retriedAt": at} | _given(task=event.task, reason=event.reason, by=event.by)
        case WorkflowRecovered():
            return {"recoveredAt": at, "repeats": event.effects}
        case CompensationStarted():
            return {"startedAt": at} | _given(error=event.error, reason=event.reason, by=event.by)
        case WorkflowCancelled():
            return {"cancelledAt": at} | _given(reason=event.reason, by=event.by)
        case WorkflowFaulted():
            return {"faultedAt": at, "error": event.error}
        case WorkflowCompleted():
            return {"completedAt": at, "output": event.output}


def _origin(event: WorkflowAccepted) -> Data:
    match event.origin:
        case None:
            return {}
        case ParentTask(execution, task):
            return {"parent": {"execution_id": execution, "task": task}}
        case ScheduledStart(schedule, kind, at):
            return {"schedule": {"id": schedule, "kind": kind} | _given(at=at)}


def _of_correlation(event: Correlation, at: datetime) -> Data:
    place = {"task": event.task} | _given(frame=event.frame)
    match event:
        case CorrelationStarted():
            return {"startedAt": at} | place
        case CorrelationCompleted():
            return {"completedAt": at, "correlationKeys": event.keys} | place


def _of_task(event: TaskEvent, about: About) -> Data:
    return {"workflow": about.qualified_name, "task": event.task} | _given(frame=event.frame)


def _of_progress(  # noqa: C901 - a table, a row a fact
    event: TaskProgress, at: datetime
) -> Data:
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
        case TaskExtended():
            number = event.extensions[event.activity.at]
            stage = "after" if event.activity.after else "before"
            return {"extendedAt": at, "extension": number, "stage": stage}
        case IterationStarted():
            return {"startedAt": at, "iteration": event.iteration}
        case EventReceived() | MessagesTaken():
            return _heard(event, at)
        case EventConsumed():
            return {"consumedAt": at} | _given(output=event.output)
        case TaskCompleted():
            return {"completedAt": at, "output": event.output}
        case TaskCancelled():
            return {"cancelledAt": at}
        case TaskCompensating():
            return {"startedAt": at}
        case TaskCompensated():
            return {"compensatedAt": at}


def _heard(event: EventReceived | MessagesTaken, at: datetime) -> Data:
    if isinstance(event, MessagesTaken):
        return {"receivedAt": at, "taken": len(event.taken)}
    heard = {"id": event.id, "source": event.source, "type": event.type}
    return {"receivedAt": at, "event": heard} | _given(item=event.item, keys=event.keys)


def _of_trouble(event: TaskTrouble, at: datetime) -> Data:
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
