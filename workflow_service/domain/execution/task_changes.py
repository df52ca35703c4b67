"""How facts about tasks change the state of an execution; see ``evolve``."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import UNSET
from msgspec.structs import replace

from workflow_service.domain.execution import listening, undoing
from workflow_service.domain.execution.draft import Draft
from workflow_service.domain.execution.effects import Failed, Outcome, Succeeded
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
    TaskExtended,
    TaskFact,
    TaskFaulted,
    TaskRetried,
    TaskSkipped,
    TaskStarted,
)
from workflow_service.domain.execution.listeners import Listening, Subscribing
from workflow_service.domain.execution.state import (
    BackingOff,
    Created,
    Doing,
    Extending,
    Faulted,
    Forking,
    Frame,
    Halted,
    Handling,
    HistoryBroken,
    LiveActivity,
    Looping,
    Performed,
    Performing,
    Sleeping,
    Trying,
)

if TYPE_CHECKING:
    from workflow_service.domain.expressions import JsonValue

_CREATED = Created()
_LIST_OWNERS = (Doing, Looping, Listening, Subscribing, Trying, Handling, Extending)
_LEAVES = (Created, Sleeping, Performing, Performed)


def apply_to_task(draft: Draft, event: TaskFact, at: datetime) -> None:  # noqa: C901 - a table, a row a fact
    """Change *draft* as *event* says.

    Raises:
        HistoryBroken: *event* cannot follow.
    """
    match event:
        case TaskCreated():
            _task_created(draft, event)
        case TaskStarted():
            _task_started(draft, event, at)
        case TaskExtended():
            _task_extended(draft, event)
        case TaskCompleted():
            _task_completed(draft, event)
        case TaskSkipped():
            _leave(draft, draft.frame(event.frame_id))
        case IterationStarted():
            _iteration_started(draft, event)
        case TaskFaulted():
            draft.change(event.frame_id, activity=Faulted(event.error, _was(draft, event.frame_id)))
        case TaskCancelled():
            draft.change(event.frame_id, activity=Halted(_was(draft, event.frame_id)))
        case OutcomeRecorded():
            draft.change(event.frame_id, activity=Performed(outcome_of(event)))
        case ErrorCaught():
            _error_caught(draft, event)
        case RetryScheduled():
            _retry_scheduled(draft, event)
        case TaskRetried():
            _task_retried(draft, event)
        case EventReceived() | EventConsumed() | MessagesTaken():
            _listener_changed(draft, event)
        case TaskCompensating():
            draft.put(undoing.frame_that_undoes(draft.open, event.frame_id, at))
        case TaskCompensated():
            _task_compensated(draft, event)
        case EventEmitted():
            pass


def _task_created(draft: Draft, event: TaskCreated) -> None:
    parent = draft.frame(event.parent)
    activity = parent.activity
    if isinstance(activity, _LIST_OWNERS):
        moved = replace(activity, index=event.index, round=event.round)
        draft.put(replace(parent, activity=moved))
    given = event.input
    raw: JsonValue = parent.data if given is UNSET else given
    draft.put(
        Frame(
            event.frame_id,
            event.task,
            event.parent,
            raw,
            raw,
            _CREATED,
            branch=event.branch,
            variables=parent.variables if given is UNSET else {},
        )
    )


def _task_started(draft: Draft, event: TaskStarted, at: datetime) -> None:
    frame = draft.frame(event.frame_id)
    data = frame.raw_input if event.input is UNSET else event.input
    activity = frame.activity if event.activity is None else event.activity
    if isinstance(activity, Performing):
        _count_effect(draft, activity.effect.number)
    elif isinstance(activity, Listening):
        draft.state = replace(draft.open, listens=activity.number)
    draft.put(
        replace(
            frame,
            input=data,
            data=data,
            activity=activity,
            started_at=at,
            deadline=event.deadline,
        )
    )


def _task_extended(draft: Draft, event: TaskExtended) -> None:
    frame = draft.frame(event.frame_id)
    draft.drop_inside(frame.id)
    given = frame.input if event.input is UNSET else event.input
    data = event.activity.output if event.activity.after else given
    draft.put(
        replace(
            frame,
            input=given,
            data=data,
            activity=event.activity,
            extensions=event.extensions,
            deadline=None,
        )
    )


def _count_effect(draft: Draft, number: int) -> None:
    opened = draft.open
    if number > opened.effects:
        draft.state = replace(opened, effects=number)


def _task_completed(draft: Draft, event: TaskCompleted) -> None:
    frame = draft.frame(event.frame_id)
    if not isinstance(frame.activity, _LEAVES):
        draft.drop_inside(frame.id)
    if event.context is not UNSET:
        draft.state = replace(draft.open, context=event.context)
    if event.compensable:
        draft.state = undoing.with_done(draft.open, frame, event)
    parent = draft.frame(frame.parent)
    if isinstance(parent.activity, Forking):
        outputs = {**parent.activity.outputs, frame.branch: event.output}
        draft.put(replace(parent, activity=replace(parent.activity, outputs=outputs)))
    else:
        draft.put(replace(parent, data=event.output))
    draft.drop(frame.id)


def _task_compensated(draft: Draft, event: TaskCompensated) -> None:
    undone = undoing.current(draft.open, event.frame_id)
    draft.drop_inside(undone.frame_id)
    draft.drop(undone.frame_id)
    draft.state = replace(draft.open, compensations=draft.open.compensations[:-1])


def _leave(draft: Draft, frame: Frame) -> None:
    """A skipped task: its list goes on with the data that it had; a branch gives back what it got."""
    parent = draft.frame(frame.parent)
    if isinstance(parent.activity, Forking):
        outputs = {**parent.activity.outputs, frame.branch: frame.raw_input}
        draft.put(replace(parent, activity=replace(parent.activity, outputs=outputs)))
    draft.drop(frame.id)


def _iteration_started(draft: Draft, event: IterationStarted) -> None:
    frame = draft.frame(event.frame_id)
    activity, data = frame.activity, frame.data
    if isinstance(activity, Listening | Subscribing):
        item = data = activity.queue[0]
    elif isinstance(activity, Looping):
        item = activity.items[event.iteration]
    else:
        raise HistoryBroken(f"{frame.id} is no loop")
    moved = replace(activity, iteration=event.iteration, index=-1, round=0)
    variables = {**frame.variables, event.each: item, event.at: event.iteration}
    draft.put(replace(frame, activity=moved, variables=variables, data=data))


def _listener_changed(draft: Draft, event: EventReceived | EventConsumed | MessagesTaken) -> None:
    frame = draft.frame(event.frame_id)
    match event:
        case EventReceived():
            activity: LiveActivity = listening.received(frame.doing(Listening), event)
        case MessagesTaken():
            taker = frame.doing(Subscribing)
            activity = listening.messages_taken(taker, frame.data, event)
        case EventConsumed():
            activity = _consumed(draft, frame, event)
    draft.put(replace(frame, activity=activity))


def _consumed(draft: Draft, frame: Frame, event: EventConsumed) -> LiveActivity:
    if event.context is not UNSET:
        draft.state = replace(draft.open, context=event.context)
    if isinstance(frame.activity, Subscribing):
        return listening.consumed(frame.activity, event)
    return listening.consumed(frame.doing(Listening), event)


def _error_caught(draft: Draft, event: ErrorCaught) -> None:
    frame = draft.frame(event.frame_id)
    draft.drop_inside(frame.id)
    if event.variable:
        variables = {**frame.variables, event.variable: event.error.as_json()}
        handling = Handling(event.error)
        frame = replace(frame, activity=handling, variables=variables)
    draft.put(replace(frame, data=frame.input))


def _retry_scheduled(draft: Draft, event: RetryScheduled) -> None:
    waiting = BackingOff(event.until, event.retries, event.first_fault_at, event.error)
    draft.change(event.frame_id, activity=waiting)


def _task_retried(draft: Draft, event: TaskRetried) -> None:
    frame = draft.frame(event.frame_id)
    if not isinstance(frame.activity, BackingOff):
        raise HistoryBroken(f"{frame.id} is not between two attempts")
    again = Trying(event.retries, frame.activity.first_fault_at, event.deadline)
    draft.put(replace(frame, activity=again, data=frame.input))


def _was(draft: Draft, frame_id: str) -> LiveActivity:
    activity = draft.frame(frame_id).activity
    return activity.was if isinstance(activity, Faulted | Halted) else activity


def outcome_of(event: OutcomeRecorded) -> Outcome:
    """Return the outcome that an event recorded."""
    if event.error is not None:
        return Failed(event.error)
    return Succeeded(None if event.output is UNSET else event.output)
