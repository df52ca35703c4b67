"""What follows when a person steps in: suspends, resumes, cancels or retries an execution."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import UNSET
from msgspec.structs import replace

from workflow_service.domain.definition.model import ListenTask
from workflow_service.domain.execution import revival
from workflow_service.domain.execution.arrivals import use
from workflow_service.domain.execution.errors import CommandRefused
from workflow_service.domain.execution.listeners import Listening
from workflow_service.domain.execution.schedule import status_of
from workflow_service.domain.execution.state import ROOT, Created, Ended, Frame, Open, Performed
from workflow_service.domain.execution.tasks.compensate import undo_next, wind_up
from workflow_service.domain.execution.tasks.listen import LISTEN
from workflow_service.domain.execution.tasks.workflow import WORKFLOW
from workflow_service.domain.execution.waking import wake
from workflow_service.domain.execution.workflow_events import (
    WorkflowCancelled,
    WorkflowResumed,
    WorkflowRetried,
    WorkflowSuspended,
)

if TYPE_CHECKING:
    from workflow_service.domain.execution.advance import Advance
    from workflow_service.domain.execution.commands import Cancel, Resume, Retry, Suspend


def suspend(advance: Advance, command: Suspend) -> None:
    """Halt an execution: what is under way goes on outside, and nothing new begins.

    Raises:
        CommandRefused: it has ended, or is suspended already.
    """
    opened = _open_or_refuse(advance, "suspended")
    if opened.suspended_at is not None:
        raise CommandRefused("suspended", "suspended")
    advance.emit(WorkflowSuspended(command.reason, command.by, _under_way(opened)))


def _under_way(opened: Open) -> list[str]:
    """Return the references of the tasks that have begun and not ended, each once."""
    begun = (
        frame.task
        for frame in opened.frames.values()
        if frame.id != ROOT and not isinstance(frame.activity, Created)
    )
    return list(dict.fromkeys(begun))


def resume(advance: Advance, command: Resume) -> None:
    """Let a suspended execution go on, with what came meanwhile.

    Raises:
        CommandRefused: it has ended, or is not suspended.
    """
    opened = _open_or_refuse(advance, "resumed")
    if opened.suspended_at is None:
        raise CommandRefused("resumed", status_of(opened))
    advance.emit(WorkflowResumed(command.reason, command.by, _under_way(opened)))
    for frame in list(advance.draft.frames.values()):
        if frame.id in advance.draft.frames:
            _go_on(advance, frame)
        if advance.ended:
            return
    wake(advance)


def _go_on(advance: Advance, frame: Frame) -> None:
    """Use what came while the execution was suspended."""
    if isinstance(frame.activity, Performed):
        use(advance, frame, frame.activity.outcome)
    elif isinstance(frame.activity, Listening):
        task = advance.task_of(frame)
        if isinstance(task, ListenTask):
            LISTEN.go_on(advance, frame, task)


def cancel(advance: Advance, command: Cancel) -> None:
    """End an execution, once what it has completed and can undo is undone.

    Raises:
        CommandRefused: it has ended already.
    """
    opened = _open_or_refuse(advance, "cancelled")
    ending = WorkflowCancelled(command.reason, command.by)
    if opened.compensating is not None or not opened.compensations:
        advance.emit(ending)
        return
    advance.cancel_inside(ROOT)
    wind_up(advance, ending)


def _open_or_refuse(advance: Advance, verb: str) -> Open:
    state = advance.draft.state
    if isinstance(state, Open):
        return state
    raise CommandRefused(verb, status_of(state))


def retry(advance: Advance, command: Retry) -> None:
    """Take up a faulted execution where it stood, or go on with undoing what it has done.

    Raises:
        CommandRefused: it has not faulted, or has nothing left to go on with.
    """
    state = advance.draft.state
    if not isinstance(state, Ended) or state.status != "faulted":
        raise CommandRefused("retried", status_of(state))
    if state.stood is None:
        raise CommandRefused("retried", "faulted, and whose tasks were undone,")
    if state.stood.compensating is not None:
        _go_on_undoing(advance, state.stood, command)
        return
    position = revival.position(state.stood, command, advance.now)
    advance.emit(WorkflowRetried(position, command.task, command.reason, command.by))
    _take_up(advance)


def _go_on_undoing(advance: Advance, stood: Open, command: Retry) -> None:
    if command.task or command.input is not UNSET:
        raise CommandRefused("retried from a task or with another input", "being undone")
    position = replace(stood, frames={ROOT: stood.frames[ROOT]}, deadline=None, suspended_at=None)
    advance.emit(WorkflowRetried(position, command.task, command.reason, command.by))
    undo_next(advance)
    wake(advance)


def _take_up(advance: Advance) -> None:
    """Go on at a position: with its created tasks, or with the end of the workflow when only that went wrong."""
    opened = advance.opened
    if opened.started_at is not None and set(opened.frames) == {ROOT}:
        WORKFLOW.list_ended(advance, opened.frames[ROOT], advance.definition)
    wake(advance)
