"""From what is stored to the state that decisions are made on."""

from __future__ import annotations

from workflow_service.application.ports import EventStore, Stored
from workflow_service.domain.execution.evolve import fold
from workflow_service.domain.execution.state import NotStarted, Open, State


def restore(stored: Stored) -> State:
    """Return the state: the snapshot, if there is one, and the events after it.

    Raises:
        HistoryBroken: the events do not follow on each other.
    """
    state: State = NotStarted() if stored.snapshot is None else stored.snapshot
    return fold(state, ((recorded.event, recorded.at) for recorded in stored.events))


async def is_undone(store: EventStore, execution: str) -> bool:
    """Whether an execution is being undone: it ends by itself, and to cancel it would leave the rest as it is.

    Raises:
        Unavailable: the store does not answer.
    """
    stored = await store.load(execution)
    state = None if stored is None else restore(stored)
    return isinstance(state, Open) and state.compensating is not None
