"""How facts about compensations change the state of an execution; see ``evolve``."""

from __future__ import annotations

from datetime import datetime

from msgspec import UNSET
from msgspec.structs import replace

from workflow_service.domain.definition.compensation import COMPENSATED, compensation_of
from workflow_service.domain.execution.compensations import Compensating, Compensation
from workflow_service.domain.execution.events import TaskCompleted
from workflow_service.domain.execution.state import ROOT, Frame, HistoryBroken, Open, Trying
from workflow_service.domain.execution.workflow_events import CompensationStarted


def with_done(opened: Open, frame: Frame, event: TaskCompleted) -> Open:
    """Return the state in which what *frame* has done can be undone: once, as it was done last."""
    raw = event.output if event.raw_output is UNSET else event.raw_output
    done = Compensation(frame.task, frame.id, frame.input, raw, frame.variables)
    others = [each for each in opened.compensations if each.frame != frame.id]
    return replace(opened, compensations=(*others, done))


def begun(opened: Open, event: CompensationStarted) -> Open:
    """Return the state in which nothing goes on but undoing."""
    return replace(
        opened,
        compensating=Compensating(event.error, event.reason, event.by),
        deadline=None,
        suspended_at=None,
        frames={ROOT: opened.frames[ROOT]},
    )


def frame_that_undoes(opened: Open, frame_id: str, at: datetime) -> Frame:
    """Return the frame in which what *frame_id* has done is undone.

    Raises:
        HistoryBroken: it is not its turn.
    """
    undoing, phase = current(opened, frame_id), opened.compensating
    shown = undoing.shown(None if phase is None else phase.error)
    return Frame(
        undoing.frame_id,
        compensation_of(undoing.task),
        ROOT,
        undoing.output,
        undoing.output,
        Trying(),
        data=undoing.output,
        started_at=at,
        variables={**undoing.variables, COMPENSATED: shown},
    )


def current(opened: Open, frame_id: str) -> Compensation:
    """Return what is to be undone now.

    Raises:
        HistoryBroken: it is not what *frame_id* has done.
    """
    left = opened.compensations
    if not left or left[-1].frame != frame_id:
        raise HistoryBroken(f"it is not the turn of {frame_id!r} to be undone")
    return left[-1]


def to_retry(opened: Open) -> Open | None:
    """Return what a retry takes up after a fault; nothing when all that was done is undone."""
    undone = opened.compensating is not None and not opened.compensations
    return None if undone else opened
