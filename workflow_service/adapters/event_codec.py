"""Facts as bytes, and back: the stored format is a public one.

Events are a JSON array, one object per event, tagged with ``e``. Every commit says which version of the
format wrote it; older ones are brought up to date while they are read, so that histories replay for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

import msgspec

from chassis.errors import Internal
from workflow_service.domain.execution.events import Event
from workflow_service.domain.expressions import JsonValue

EVENTS_VERSION: Final = 1
"""Goes up with every change that an older reader, or an older event, would not survive."""

STATE_VERSION: Final = 1
"""The same for snapshots, which the engine encodes; others are ignored, since the events say it all."""

StoredEvent: TypeAlias = dict[str, JsonValue]
Upcaster: TypeAlias = Callable[[StoredEvent], StoredEvent]

UPCASTERS: Final[Mapping[int, Upcaster]] = {}
"""For each old version, what makes one of its events an event of the next version."""


class UnreadableHistory(Internal):
    """Stored events cannot be understood: newer code wrote them, or they are damaged."""


_encoder = msgspec.json.Encoder()
_events: msgspec.json.Decoder[list[Event]] = msgspec.json.Decoder(list[Event])
_raw_events = msgspec.json.Decoder(list[msgspec.Raw])
_stored_events: msgspec.json.Decoder[list[StoredEvent]] = msgspec.json.Decoder(list[dict[str, Any]])
_event: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)


def encode_events(events: Sequence[Event]) -> bytes:
    """Return *events* as the current version stores them."""
    return _encoder.encode(events)


def decode_events(
    data: bytes,
    version: int = EVENTS_VERSION,
    *,
    current: int = EVENTS_VERSION,
    upcasters: Mapping[int, Upcaster] = UPCASTERS,
) -> list[Event]:
    """Return the events that *version* of the format stored as *data*.

    Args:
        data: what ``encode_events`` of that version made.
        version: which version that was.
        current: the version to bring them up to.
        upcasters: what each version before *current* needs.

    Raises:
        UnreadableHistory: *data* is damaged, or has events that are not known here.
    """
    if version > current:
        raise UnreadableHistory("the history was written by a newer version of this program")
    try:
        if version == current:
            return _events.decode(data)
        stored = _stored_events.decode(data)
        for step in range(version, current):
            stored = [upcasters[step](event) for event in stored]
        return msgspec.convert(stored, list[Event], str_keys=True)
    except (msgspec.DecodeError, msgspec.ValidationError, KeyError) as exc:
        raise UnreadableHistory(f"the history cannot be read: {exc}") from exc


def decode_slice(data: bytes, version: int, skip: int, count: int) -> list[Event]:
    """Return *count* events of *data* after the first *skip*, without decoding the others.

    Raises:
        UnreadableHistory: as ``decode_events`` does.
    """
    if version != EVENTS_VERSION:
        return decode_events(data, version)[skip : skip + count]
    try:
        return [_event.decode(raw) for raw in _raw_events.decode(data)[skip : skip + count]]
    except (msgspec.DecodeError, msgspec.ValidationError) as exc:
        raise UnreadableHistory(f"the history cannot be read: {exc}") from exc
