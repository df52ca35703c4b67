"""What follows when time has passed: timers fire, and what is ready begins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from workflow_service.domain.definition.model import CompensateTask, TryTask
from workflow_service.domain.execution.problem import timeout
from workflow_service.domain.execution.schedule import Due, Timer, is_left, next_due
from workflow_service.domain.execution.state import ROOT, HistoryBroken, Open, Trying
from workflow_service.domain.execution.tasks.compensate import COMPENSATE
from workflow_service.domain.execution.tasks.try_ import TRY
from workflow_service.domain.execution.tasks.workflow import WORKFLOW, blank_root

if TYPE_CHECKING:
    from workflow_service.domain.execution.advance import Advance

_TIMERS_PER_ADVANCE: Final = 1000


def wake(advance: Advance) -> None:
    """Fire what is due, in the order in which it was due; then go on with what is ready."""
    for _ in range(_TIMERS_PER_ADVANCE):
        state = advance.draft.state
        if not isinstance(state, Open):
            return
        due = next_due(state)
        # What is left to others begins by their clocks as well: one may be some milliseconds behind.
        if due is None or (due.at > advance.now and not is_left(state)):
            break
        _fire(advance, due)
        advance.run()
    if isinstance(advance.draft.state, Open) and advance.opened.suspended_at is None:
        advance.enqueue_ready()


def _fire(advance: Advance, due: Due) -> None:
    match due.timer:
        case Timer.BEGIN:
            WORKFLOW.begin(advance, blank_root(advance.opened), advance.definition)
        case Timer.WORKFLOW:
            problem = timeout("the workflow took longer than its timeout allows")
            root = advance.draft.frame(ROOT)
            WORKFLOW.child_faulted(advance, root, advance.definition, problem.at("/timeout"))
        case Timer.WAIT:
            advance.complete(due.frame, advance.draft.frame(due.frame).input)
        case Timer.TASK:
            problem = timeout("the task took longer than its timeout allows")
            advance.fault(due.frame, problem)
        case Timer.RETRY | Timer.ATTEMPT:
            _fire_attempt(advance, due)


def _fire_attempt(advance: Advance, due: Due) -> None:
    frame = advance.draft.frame(due.frame)
    task = advance.task_of(frame)
    if isinstance(task, CompensateTask):
        COMPENSATE.try_again(advance, frame, task)
        return
    if not isinstance(task, TryTask):
        raise HistoryBroken(f"{frame.id} is no try, and has a timer of one")
    if due.timer is Timer.RETRY:
        TRY.try_again(advance, frame, task)
        return
    frame.doing(Trying)
    problem = timeout("the attempt took longer than the retry policy allows").at(frame.task)
    advance.cancel_inside(frame.id)
    TRY.child_faulted(advance, frame, task, problem)
