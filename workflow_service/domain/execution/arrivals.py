"""What follows when something comes from outside: the outcome of an effect, or an event that a listener waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow_service.domain.definition.model import ListenTask, RunTask, RunWorkflowTask
from workflow_service.domain.execution.effects import Failed, Outcome, Succeeded
from workflow_service.domain.execution.events import OutcomeRecorded
from workflow_service.domain.execution.listeners import Listening
from workflow_service.domain.execution.schedule import performing
from workflow_service.domain.execution.state import Frame, Open, Performing
from workflow_service.domain.execution.tasks.listen import LISTEN

if TYPE_CHECKING:
    from workflow_service.domain.execution.advance import Advance
    from workflow_service.domain.execution.commands import ReceiveEvent, RecordOutcome
    from workflow_service.domain.expressions import JsonValue


def record(advance: Advance, stimulus: RecordOutcome) -> None:
    """Use the outcome of an effect that is waited for, or keep it while the execution is suspended."""
    state = advance.draft.state
    if not isinstance(state, Open):
        return
    frame = next((f for f in performing(state) if _performs(f, stimulus.effect)), None)
    if frame is None:
        return  # an attempt that was given up, or a repetition of what is known
    if state.suspended_at is not None:
        advance.emit(_outcome_recorded(frame, stimulus.outcome))
    else:
        use(advance, frame, stimulus.outcome)


def _performs(frame: Frame, number: int) -> bool:
    return isinstance(frame.activity, Performing) and frame.activity.effect.number == number


def _outcome_recorded(frame: Frame, outcome: Outcome) -> OutcomeRecorded:
    match outcome:
        case Succeeded(output):
            return OutcomeRecorded(frame.task, frame.differing_id, output=output)
        case Failed(problem):
            return OutcomeRecorded(frame.task, frame.differing_id, error=problem)


def use(advance: Advance, frame: Frame, outcome: Outcome) -> None:
    """End the task of *frame* with what its effect came to."""
    match outcome:
        case Succeeded(output):
            advance.complete(frame.id, _own_output(advance, frame, output))
        case Failed(problem):
            advance.fault(frame.id, problem)


def _own_output(advance: Advance, frame: Frame, output: JsonValue) -> JsonValue:
    """Return the raw output: what was called gave *output*, unless the task does not wait for what it runs."""
    match advance.task_of(frame):
        case RunTask(awaited=False):
            return frame.input
        case RunWorkflowTask(silent=True):
            return None
        case _:
            return output


def receive(advance: Advance, stimulus: ReceiveEvent) -> None:
    """Give an event to the listener that it was taken for; a listener that is gone misses nothing."""
    state = advance.draft.state
    frame = state.frames.get(stimulus.frame) if isinstance(state, Open) else None
    if frame is None or not isinstance(frame.activity, Listening):
        return
    task = advance.task_of(frame)
    if frame.activity.number == stimulus.number and isinstance(task, ListenTask):
        LISTEN.receive(advance, frame, task, stimulus.event)
