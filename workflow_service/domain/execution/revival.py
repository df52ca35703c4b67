"""Where a faulted execution is taken up again.

A fault leaves its frames where they were: what faulted begins anew with its old input, what was cancelled beside it
goes on or begins anew, and what had been completed keeps its recorded results.
"""

from __future__ import annotations

from datetime import datetime

from msgspec import UNSET
from msgspec.structs import replace

from workflow_service.domain.execution.commands import Retry
from workflow_service.domain.execution.listeners import Listening
from workflow_service.domain.execution.state import (
    ROOT,
    Activity,
    BackingOff,
    Created,
    Doing,
    Faulted,
    Frame,
    Halted,
    LiveActivity,
    Open,
    Sleeping,
)


def position(stood: Open, command: Retry, now: datetime) -> Open:
    """Return the state from which to go on.

    Everything that has a timeout has its whole time again, so that a retry is not over before it begins.
    """
    start = stood if command.position is None else command.position
    parents = {frame.parent for frame in start.frames.values() if frame.id != ROOT}
    frames = {
        frame.id: _revived(frame, frame.id in parents, command, now)
        for frame in start.frames.values()
    }
    revived = replace(
        start,
        frames=frames,
        effects=max(start.effects, stood.effects),
        listens=max(start.listens, stood.listens),
        deadline=_renewed(start.deadline, start.started_at, now),
        suspended_at=None,
    )
    return _before_the_beginning(revived, command) if _never_entered(revived) else revived


def _never_entered(opened: Open) -> bool:
    root = opened.frames.get(ROOT)
    return root is None or (isinstance(root.activity, Doing) and root.activity.index < 0)


def _before_the_beginning(opened: Open, command: Retry) -> Open:
    """The workflow's own input was wrong: it begins again, perhaps with another one."""
    data = opened.input if command.input is UNSET else command.input
    return replace(opened, input=data, frames={}, started_at=None, run_at=None, deadline=None)


def _revived(frame: Frame, has_children: bool, command: Retry, now: datetime) -> Frame:
    chosen = not has_children and (
        frame.task == command.task if command.task else isinstance(frame.activity, Faulted)
    )
    activity = _live(frame.activity)
    goes_on = isinstance(activity, Sleeping | BackingOff | Listening)
    again = chosen or (not has_children and not goes_on)
    if frame.id == ROOT or not again:
        deadline = _renewed(frame.deadline, frame.started_at, now)
        return replace(frame, activity=activity, deadline=deadline)
    raw = command.input if chosen and command.input is not UNSET else frame.raw_input
    return replace(
        frame,
        raw_input=raw,
        input=raw,
        data=None,
        activity=Created(),
        extensions=[],
        started_at=None,
        deadline=None,
    )


def _renewed(
    deadline: datetime | None, started_at: datetime | None, now: datetime
) -> datetime | None:
    if deadline is None or started_at is None:
        return None
    return now + (deadline - started_at)


def _live(activity: Activity) -> LiveActivity:
    return activity.was if isinstance(activity, Faulted | Halted) else activity
