"""From what is stored to the state that decisions are made on, and back."""

from __future__ import annotations

import msgspec

from workflow_service.application.ports import Stored
from workflow_service.domain.execution.evolve import fold
from workflow_service.domain.execution.state import NotStarted, State

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[State] = msgspec.json.Decoder(State)


def restore(stored: Stored) -> State:
    """Return the state: the snapshot, if there is one, and the events after it.

    Raises:
        HistoryBroken: the events do not follow on each other.
        msgspec.DecodeError: the snapshot is damaged.
    """
    state: State = NotStarted() if stored.snapshot is None else _decoder.decode(stored.snapshot)
    return fold(state, ((recorded.event, recorded.at) for recorded in stored.events))


def snapshot_of(state: State) -> bytes:
    """Return *state* in the form that ``restore`` begins from."""
    return _encoder.encode(state)
