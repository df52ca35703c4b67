"""What stored commits tell the bus: read fast over what nobody wants, decoded only where somebody might."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

import msgspec

from chassis.messaging.port import CloudEvent
from workflow_service.adapters.event_codec import EVENTS_VERSION
from workflow_service.application.ports import InboundEvent, Recorded
from workflow_service.application.projections.announcements import (
    EXECUTION_ENDED,
    Announced,
    Wanted,
    announcements,
    inbound_event,
)
from workflow_service.application.projections.fact_types import TYPES
from workflow_service.application.projections.phases import types_besides
from workflow_service.domain.execution.events import Event, EventEmitted
from workflow_service.domain.execution.workflow_events import (
    WorkflowCancelled,
    WorkflowCompleted,
    WorkflowFaulted,
)

# Told in two types, or in one that only the event itself knows.
_ALWAYS_READ: Final = (EventEmitted,)
_TERMINAL: Final = (WorkflowCancelled, WorkflowCompleted, WorkflowFaulted)

_inbound: msgspec.json.Decoder[list[InboundEvent]] = msgspec.json.Decoder(list[InboundEvent])


def needles_of(wanted: Wanted) -> list[bytes]:
    """Return what a commit holds, as msgspec writes it, that has an event that may be wanted."""
    ended = wanted(EXECUTION_ENDED)
    return [
        f'"e":"{kind.__struct_config__.tag}"'.encode()
        for kind, public in TYPES.items()
        if kind in _ALWAYS_READ
        or wanted(public)
        or (ended and kind in _TERMINAL)
        or any(map(wanted, types_besides(kind)))
    ]


def may_tell(events: bytes, version: int, needles: Sequence[bytes]) -> bool:
    """Whether the events of a commit are worth decoding: this is asked for every commit there is."""
    return version != EVENTS_VERSION or any(needle in events for needle in needles)


def told_of(
    who: Announced, first: int, at: datetime, events: Sequence[Event], wanted: Wanted
) -> Iterator[CloudEvent]:
    """Yield what is wanted of a commit whose first event has the sequence *first*."""
    for sequence, event in enumerate(events, first):
        yield from announcements(who, Recorded(sequence, at, event), wanted)


def told_from_outside(data: bytes, at: datetime, wanted: Wanted) -> Iterator[CloudEvent]:
    """Yield what is wanted of events that came from outside."""
    for inbound in _inbound.decode(data):
        if wanted(inbound.type):
            yield inbound_event(inbound, at)
