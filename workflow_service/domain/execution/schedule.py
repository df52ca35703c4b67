"""When an execution must be looked at again: derived from its state, never kept beside it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Final

from msgspec import Struct

from workflow_service.domain.execution.listeners import Listening
from workflow_service.domain.execution.state import (
    ROOT,
    BackingOff,
    Created,
    Ended,
    Faulted,
    Frame,
    Halted,
    NotStarted,
    Open,
    Performed,
    Performing,
    Sleeping,
    State,
    Status,
    Trying,
)

LEFT: Final = timedelta(seconds=5)
"""How long an execution that is left to all processes is not looked for: one of them is told of it meanwhile."""


class Timer(IntEnum):
    """What is due, in the order in which it fires when several are due at the same moment."""

    BEGIN = 0
    WAIT = 1
    RETRY = 2
    ATTEMPT = 3
    TASK = 4
    WORKFLOW = 5


class Due(Struct, frozen=True, order=True):
    """One timer of an execution; the earliest sorts first."""

    at: datetime
    timer: Timer
    frame: str


def timers(opened: Open) -> Iterator[Due]:
    """Yield everything that time will do to an execution."""
    if opened.started_at is None:
        yield Due(opened.run_at or opened.accepted_at, Timer.BEGIN, ROOT)
        return
    if opened.deadline is not None:
        yield Due(opened.deadline, Timer.WORKFLOW, ROOT)
    for frame in opened.frames.values():
        yield from _timers_of(frame)


def _timers_of(frame: Frame) -> Iterator[Due]:
    match frame.activity:
        case Faulted() | Halted():
            return
        case Sleeping(until=until):
            yield Due(until, Timer.WAIT, frame.id)
        case BackingOff(until=until):
            yield Due(until, Timer.RETRY, frame.id)
        case Trying(attempt_deadline=until) if until is not None:
            yield Due(until, Timer.ATTEMPT, frame.id)
        case _:
            pass
    if frame.deadline is not None:
        yield Due(frame.deadline, Timer.TASK, frame.id)


def next_due(opened: Open) -> Due | None:
    """Return the earliest timer; a suspended execution has none."""
    if opened.suspended_at is not None:
        return None
    return min(timers(opened), default=None)


def ready(opened: Open) -> bool:
    """Say whether a task has been created and could begin at once."""
    if opened.suspended_at is not None:
        return False
    return any(isinstance(frame.activity, Created) for frame in opened.frames.values())


def is_left(state: State) -> bool:
    """Say whether it was taken on to begin at once, and is left to whichever process wakes it."""
    if not isinstance(state, Open) or state.started_at or state.suspended_at:
        return False
    return state.run_at is None or state.run_at <= state.accepted_at


def performing(opened: Open) -> list[Frame]:
    """Return the frames that wait for the outcome of an effect."""
    return [frame for frame in opened.frames.values() if isinstance(frame.activity, Performing)]


def status_of(state: State) -> Status:
    """Return the DSL's status phase."""
    match state:
        case NotStarted():
            return "pending"
        case Ended(status=status):
            return status
        case Open(suspended_at=at) if at is not None:
            return "suspended"
        case Open(started_at=None):
            return "pending"
        case Open(frames=frames):
            active = [frame.activity for frame in frames.values()]
            if any(isinstance(doing, Created | Performing | Performed) for doing in active):
                return "running"
            waits = any(isinstance(doing, Sleeping | Listening) for doing in active)
            return "waiting" if waits else "running"


def wake_at(state: State, now: datetime) -> datetime | None:
    """Return when somebody must look at the execution by itself; None when only an outcome or a person can move it."""
    if not isinstance(state, Open):
        return None
    if ready(state):
        return now
    if is_left(state):
        return state.accepted_at + LEFT
    due = next_due(state)
    return None if due is None else due.at
