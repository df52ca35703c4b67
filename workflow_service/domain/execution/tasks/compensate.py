"""Compensations: before an execution faults or is cancelled, what it has completed is undone, the last first.

One after another, each in frames of its own: a crash leaves the rest to do, and effects show the same key at every
repetition. A compensation that fails is tried again as the engine's default policy says; when that is
used up the execution faults, and a retry goes on undoing.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from msgspec import structs

from workflow_service.domain.definition.model import CompensateTask, RetryPolicy
from workflow_service.domain.execution.events import (
    ErrorCaught,
    RetryScheduled,
    TaskCompensated,
    TaskCompensating,
    TaskFaulted,
    TaskRetried,
)
from workflow_service.domain.execution.problem import Problem, runtime
from workflow_service.domain.execution.retrying import delay_before
from workflow_service.domain.execution.state import BackingOff, Frame, HistoryBroken, Trying
from workflow_service.domain.execution.workflow_events import (
    CompensationStarted,
    WorkflowCancelled,
    WorkflowFaulted,
)

if TYPE_CHECKING:
    from workflow_service.domain.execution.advance import Advance
    from workflow_service.domain.execution.compensations import Compensating, Compensation

_POLICY = RetryPolicy()


class Compensate:
    """Undoes one task."""

    def begin(self, advance: Advance, frame: Frame, task: CompensateTask) -> None:
        """Nothing: ``undo_next`` has begun it."""
        raise HistoryBroken(f"{frame.id} does not begin by itself")

    def child_ended(
        self, advance: Advance, frame: Frame, task: CompensateTask, directive: str
    ) -> None:
        """Go on in the list."""
        place = frame.doing(Trying)
        advance.follow(frame, task.do, place.index, place.round, directive)

    def list_ended(self, advance: Advance, frame: Frame, task: CompensateTask) -> None:
        """It is undone: go on with the one that was completed before."""
        undone = _current(advance)
        advance.emit(TaskCompensated(undone.task, _differing(undone)))
        undo_next(advance)

    def child_faulted(
        self, advance: Advance, frame: Frame, task: CompensateTask, problem: Problem
    ) -> None:
        """Try again after a while, or give up."""
        activity = frame.doing(Trying)
        if activity.retries >= advance.limits.default_retries:
            advance.emit(TaskFaulted(task.reference, frame.differing_id, error=problem))
            give_up(advance, problem)
            return
        arguments = advance.arguments(frame, task)
        delay = delay_before(_POLICY, activity.retries, None, arguments, advance.environment)
        scheduled = RetryScheduled(
            task.reference,
            frame.differing_id,
            error=problem,
            until=advance.now + timedelta(seconds=delay),
            retries=activity.retries + 1,
            first_fault_at=activity.first_fault_at or advance.now,
        )
        advance.emit(ErrorCaught(task.reference, frame.differing_id, error=problem))
        advance.emit(scheduled)

    def try_again(self, advance: Advance, frame: Frame, task: CompensateTask) -> None:
        """The delay is over: begin the list anew."""
        retries = frame.doing(BackingOff).retries
        advance.emit(TaskRetried(task.reference, frame.differing_id, retries))
        advance.enter(advance.draft.frame(frame.id), task.do)


def wind_up(advance: Advance, ending: WorkflowFaulted | WorkflowCancelled) -> None:
    """End the execution with *ending*, once all that can be undone is undone."""
    if not advance.opened.compensations:
        advance.emit(ending)
        return
    match ending:
        case WorkflowFaulted(error):
            advance.emit(CompensationStarted(error=error))
        case WorkflowCancelled(reason, by):
            advance.emit(CompensationStarted(reason=reason, by=by))
    undo_next(advance)


def undo_next(advance: Advance) -> None:
    """Begin to undo the last of the tasks that are left; when none is left, end."""
    if not advance.opened.compensations:
        advance.emit(_ending(_phase(advance)))
        return
    undoing = _current(advance)
    advance.emit(TaskCompensating(undoing.task, _differing(undoing)))
    frame = advance.draft.frame(undoing.frame_id)
    task = advance.task_of(frame)
    if not isinstance(task, CompensateTask):
        raise HistoryBroken(f"{frame.id} undoes nothing")
    advance.enter(frame, task.do)


def give_up(advance: Advance, problem: Problem) -> None:
    """Fault although not all is undone: a retry goes on from here."""
    phase, left = _phase(advance), advance.opened.compensations
    told = problem.detail or problem.title or problem.type
    story = (
        f"undoing {left[-1].task} was given up, {len(left)} left to undo: {told} ({problem.status})"
    )
    if phase.error is None:
        advance.emit(WorkflowFaulted(runtime(f"it was cancelled, and {story}")))
        return
    detail = f"{phase.error.detail}; {story}" if phase.error.detail else story
    advance.emit(WorkflowFaulted(structs.replace(phase.error, detail=detail)))


def _ending(phase: Compensating) -> WorkflowFaulted | WorkflowCancelled:
    if phase.error is None:
        return WorkflowCancelled(phase.reason, phase.by)
    return WorkflowFaulted(phase.error)


def _phase(advance: Advance) -> Compensating:
    phase = advance.opened.compensating
    if phase is None:
        raise HistoryBroken("the execution is not compensating")
    return phase


def _current(advance: Advance) -> Compensation:
    return advance.opened.compensations[-1]


def _differing(undone: Compensation) -> str:
    return "" if undone.frame == undone.task else undone.frame


COMPENSATE = Compensate()
