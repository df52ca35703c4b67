"""How facts change the state: the only place where it changes.

``evolve`` and ``fold`` are pure. Inside, a :class:`Draft` takes many events on one private copy, so that an advance of
a hundred events copies the frames once and not a hundred times.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from workflow_service.domain.execution.draft import Draft
from workflow_service.domain.execution.events import Event, TaskEvent
from workflow_service.domain.execution.state import State
from workflow_service.domain.execution.task_changes import apply_to_task
from workflow_service.domain.execution.workflow_changes import apply_to_workflow


def evolve(state: State, event: Event, at: datetime) -> State:
    """Return the state after *event*, which happened *at*.

    Raises:
        HistoryBroken: *event* cannot follow on *state*.
    """
    draft = Draft(state)
    apply(draft, event, at)
    return draft.state


def fold(state: State, events: Iterable[tuple[Event, datetime]]) -> State:
    """Return the state after *events*, each with the time it happened at."""
    draft = Draft(state)
    for event, at in events:
        apply(draft, event, at)
    return draft.state


def apply(draft: Draft, event: Event, at: datetime) -> None:
    """Change *draft* as *event*, which happened *at*, says.

    Raises:
        HistoryBroken: *event* cannot follow.
    """
    if isinstance(event, TaskEvent):
        apply_to_task(draft, event, at)
    else:
        apply_to_workflow(draft, event, at)
