"""Facts as bytes, and back: the stored format is a public one.

Events are a JSON array, one object per event, tagged with ``e``. Every commit says which version of the
format wrote it; older ones are brought up to date while they are read, so that histories replay for ever.
Large values may have been taken out of the JSON: see ``payloads``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeAlias

import msgspec

from chassis.errors import Internal
from workflow_service.adapters.payloads.joining import TakenOut
from workflow_service.domain.execution.events import Event
from workflow_service.domain.execution.state import State
from workflow_service.domain.expressions import JsonValue

EVENTS_VERSION: Final = 1
"""Goes up with every change that an older reader, or an older event, would not survive."""

STATE_VERSION: Final = 1
"""The same for snapshots; others are ignored, since the events say it all."""

StoredEvent: TypeAlias = dict[str, JsonValue]
Upcaster: TypeAlias = Callable[[StoredEvent], StoredEvent]

UPCASTERS: Final[Mapping[int, Upcaster]] = {}
"""For each old version, what makes one of its events an event of the next version."""


class UnreadableHistory(Internal):
    """Stored events cannot be understood: newer code wrote them, or they are damaged."""


_events: msgspec.json.Decoder[list[Event]] = msgspec.json.Decoder(list[Event])
_raw_events = msgspec.json.Decoder(list[msgspec.Raw])
_stored_events: msgspec.json.Decoder[list[StoredEvent]] = msgspec.json.Decoder(list[dict[str, Any]])
_event: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)
_stored_event: msgspec.json.Decoder[StoredEvent] = msgspec.json.Decoder(dict[str, Any])
_state: msgspec.json.Decoder[State] = msgspec.json.Decoder(State)
_anything: msgspec.json.Decoder[Any] = msgspec.json.Decoder()


def decode_events(
    data: bytes,
    version: int = EVENTS_VERSION,
    *,
    current: int = EVENTS_VERSION,
    upcasters: Mapping[int, Upcaster] = UPCASTERS,
    taken_out: TakenOut | None = None,
) -> list[Event]:
    """Return the events that *version* of the format stored as *data*.

    Args:
        data: what was stored then, see ``payloads.CommitEncoding``.
        version: which version that was.
        current: the version to bring them up to.
        upcasters: what each version before *current* needs.
        taken_out: the large values of *data*; None: all are in it.

    Raises:
        UnreadableHistory: *data* is damaged, or has events that are not known here.
        DamagedPayload: a large value is.
    """
    if version > current:
        raise UnreadableHistory("the history was written by a newer version of this program")
    try:
        if version == current and taken_out is None:
            return _events.decode(data)
        if version == current:
            return [event for event, _ in events_from(data, version, 0, taken_out)]
        stored = _stored_events.decode(data)
        if taken_out is not None:
            stored = taken_out.into(stored)
        for step in range(version, current):
            stored = [upcasters[step](event) for event in stored]
        return msgspec.convert(stored, list[Event], str_keys=True)
    except (msgspec.DecodeError, msgspec.ValidationError, KeyError) as exc:
        raise UnreadableHistory(f"the history cannot be read: {exc}") from exc


def events_from(
    data: bytes, version: int, skip: int, taken_out: TakenOut | None = None
) -> Iterator[tuple[Event, int]]:
    """Yield the events of *data* after the first *skip*, each decoded when it is asked for, with its bytes of JSON.

    Raises:
        UnreadableHistory: as ``decode_events`` does.
        DamagedPayload: the same.
    """
    large = {} if taken_out is None else taken_out.by_item()
    try:
        raw = _raw_events.decode(data)
        if version != EVENTS_VERSION:
            # A whole commit, and as large as its JSON: only what was written long ago is read like this.
            events = decode_events(data, version, taken_out=taken_out)
            yield from zip(events[skip:], map(len, raw[skip:]), strict=True)
            return
        for place, each in enumerate(raw[skip:], skip):
            part = large.get(place)
            yield _one(each, part), len(each) + (0 if part is None else part.size)
    except (msgspec.DecodeError, msgspec.ValidationError) as exc:
        raise UnreadableHistory(f"the history cannot be read: {exc}") from exc


def _one(raw: msgspec.Raw, taken_out: TakenOut | None) -> Event:
    if taken_out is None:
        return _event.decode(raw)
    whole = taken_out.into(_stored_event.decode(raw))
    event: Event = msgspec.convert(whole, Event, str_keys=True)
    return event


def decode_state(data: bytes, taken_out: TakenOut | None) -> State:
    """Return the state that a snapshot is of.

    Raises:
        UnreadableHistory: it is damaged.
        DamagedPayload: a large value is.
    """
    try:
        if taken_out is None:
            return _state.decode(data)
        state: State = msgspec.convert(taken_out.into(_anything.decode(data)), State, str_keys=True)
    except (msgspec.DecodeError, msgspec.ValidationError) as exc:
        raise UnreadableHistory(f"a snapshot cannot be read: {exc}") from exc
    return state
