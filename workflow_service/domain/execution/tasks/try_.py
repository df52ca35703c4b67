"""``try``: catches errors, tries again, handles them.

What the specification leaves open is decided so: an error that is still there when the retries are used up goes to
``catch.do`` or ``catch.then``, and without either of them it is not swallowed but faults the task; an error caught
without a retry policy and without a handler ends the task well, with its input as output.

Source: Open Workflow Specification, DSL reference, "Try", "Catch", "Retry".
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from workflow_service.domain.definition.error_types import normalise_error_type
from workflow_service.domain.definition.model import Catch, RetryPolicy, TryTask
from workflow_service.domain.execution import data_flow
from workflow_service.domain.execution.events import ErrorCaught, RetryScheduled, TaskRetried
from workflow_service.domain.execution.retrying import delay_before, may_retry_later
from workflow_service.domain.execution.state import (
    BackingOff,
    Frame,
    Handling,
    HistoryBroken,
    Trying,
)

if TYPE_CHECKING:
    from workflow_service.domain.definition.model import ErrorFilter, TaskList
    from workflow_service.domain.execution.advance import Advance
    from workflow_service.domain.execution.data_flow import Arguments
    from workflow_service.domain.execution.problem import Problem


class Try:
    """Its output is what its tasks, or those of its handler, came to."""

    def begin(self, advance: Advance, frame: Frame, task: TryTask) -> None:
        """Begin the first attempt."""
        deadline = _attempt_deadline(advance, frame, task)
        begun = advance.started(frame, task, Trying(attempt_deadline=deadline))
        advance.enter(begun, task.attempt)

    def child_ended(self, advance: Advance, frame: Frame, task: TryTask, directive: str) -> None:
        """Go on in the attempt or in the handler."""
        if isinstance(frame.activity, Trying):
            place: Trying | Handling = frame.activity
            tasks = task.attempt
        else:
            place = frame.doing(Handling)
            tasks = _handler(frame, task)
        advance.follow(frame, tasks, place.index, place.round, directive)

    def list_ended(self, advance: Advance, frame: Frame, task: TryTask) -> None:
        """Complete; after an error, where ``catch.then`` says."""
        handled = isinstance(frame.activity, Handling)
        advance.complete(frame.id, frame.data, task.catch.then if handled else None)

    def child_faulted(
        self, advance: Advance, frame: Frame, task: TryTask, problem: Problem
    ) -> None:
        """Catch the error of an attempt if it matches; an error of the handler faults the task."""
        caught = isinstance(frame.activity, Trying) and _catches(advance, frame, task, problem)
        if not caught:
            advance.fault(frame.id, problem)
            return
        used_up = not _retry(advance, frame, task, problem)
        if used_up:
            self._handle(advance, frame, task, problem)

    def _handle(self, advance: Advance, frame: Frame, task: TryTask, problem: Problem) -> None:
        catch = task.catch
        if catch.do is not None:
            variable = catch.error_variable
            caught = ErrorCaught(
                task.reference, frame.differing_id, error=problem, variable=variable
            )
            advance.emit(caught)
            advance.enter(advance.draft.frame(frame.id), catch.do)
        elif catch.then is None and _wanted_retry(advance, frame, task, problem):
            advance.fault(frame.id, problem)
        else:
            advance.emit(ErrorCaught(task.reference, frame.differing_id, error=problem))
            advance.complete(frame.id, frame.input, catch.then)

    def try_again(self, advance: Advance, frame: Frame, task: TryTask) -> None:
        """The delay is over: begin the next attempt."""
        retries = frame.doing(BackingOff).retries
        deadline = _attempt_deadline(advance, frame, task)
        advance.emit(TaskRetried(task.reference, frame.differing_id, retries, deadline))
        advance.enter(advance.draft.frame(frame.id), task.attempt)


def _handler(frame: Frame, task: TryTask) -> TaskList:
    if task.catch.do is None:
        raise HistoryBroken(f"{frame.id} is handling an error, and has no catch.do")
    return task.catch.do


def _catches(advance: Advance, frame: Frame, task: TryTask, problem: Problem) -> bool:
    catch = task.catch
    if catch.errors is not None and not _matches(catch.errors, problem):
        return False
    return _conditions(catch, frame, _with_error(advance, frame, task, problem))


def _conditions(rule: Catch | RetryPolicy, frame: Frame, arguments: Arguments) -> bool:
    if rule.when is not None and not data_flow.holds(rule.when, frame.input, arguments):
        return False
    return rule.except_when is None or not data_flow.holds(rule.except_when, frame.input, arguments)


def _matches(wanted: ErrorFilter, problem: Problem) -> bool:
    if wanted.type is not None and normalise_error_type(wanted.type) != problem.type:
        return False
    pairs = (
        (wanted.status, problem.status),
        (wanted.instance, problem.instance),
        (wanted.title, problem.title),
        (wanted.detail, problem.detail),
    )
    return all(expected is None or expected == actual for expected, actual in pairs)


def _with_error(advance: Advance, frame: Frame, task: TryTask, problem: Problem) -> Arguments:
    error = {task.catch.error_variable: problem.as_json()}
    return advance.arguments(frame, task, error)


def _wanted_retry(advance: Advance, frame: Frame, task: TryTask, problem: Problem) -> bool:
    policy = task.catch.retry
    if policy is None:
        return False
    return _conditions(policy, frame, _with_error(advance, frame, task, problem))


def _retry(advance: Advance, frame: Frame, task: TryTask, problem: Problem) -> bool:
    """Schedule another attempt if the policy wants and allows one."""
    policy = task.catch.retry
    activity = frame.doing(Trying)
    if policy is None or not _wanted_retry(advance, frame, task, problem):
        return False
    arguments = _with_error(advance, frame, task, problem)
    first = activity.first_fault_at or advance.now
    delay = delay_before(policy, activity.retries, frame.input, arguments, advance.environment)
    until = advance.now + timedelta(seconds=delay)
    if not may_retry_later(
        policy, activity.retries, first, until, frame.input, arguments, advance.environment
    ):
        return False
    _schedule(advance, frame, task, problem, until, first)
    return True


def _schedule(
    advance: Advance,
    frame: Frame,
    task: TryTask,
    problem: Problem,
    until: datetime,
    first: datetime,
) -> None:
    activity = frame.doing(Trying)
    advance.emit(ErrorCaught(task.reference, frame.differing_id, error=problem))
    advance.emit(
        RetryScheduled(
            task.reference,
            frame.differing_id,
            error=problem,
            until=until,
            retries=activity.retries + 1,
            first_fault_at=first,
        )
    )
    if until <= advance.now:
        TRY.try_again(advance, advance.draft.frame(frame.id), task)


def _attempt_deadline(advance: Advance, frame: Frame, task: TryTask) -> datetime | None:
    policy = task.catch.retry
    if policy is None or policy.attempt_duration is None:
        return None
    return advance.in_future(policy.attempt_duration, frame.input, advance.arguments(frame, task))


TRY = Try()
