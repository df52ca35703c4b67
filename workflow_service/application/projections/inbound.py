"""CloudEvents on their way into the intake, and out of it."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import msgspec
from msgspec import UNSET, UnsetType

from chassis.messaging.media import is_json
from chassis.messaging.port import CloudEvent
from workflow_service.application.ports import InboundEvent
from workflow_service.application.projections.announcements import (
    OWN_TYPES,
    emitted_event,
)
from workflow_service.domain.events import ReceivedEvent
from workflow_service.domain.expressions import JsonValue

_decode: Final[Callable[[bytes], JsonValue]] = msgspec.json.Decoder().decode


def emitted(
    event: dict[str, JsonValue], at: datetime, tenant: str, execution: str
) -> InboundEvent | None:
    """Return what an author's ``emit`` made, for the intake; None for what only the engine may announce."""
    told = emitted_event(event, at, tenant)
    if told.type.startswith(OWN_TYPES):
        return None
    return from_bus(told, tenant, sender=execution)


def from_bus(event: CloudEvent, tenant: str, sender: str) -> InboundEvent:
    """Return a CloudEvent of *tenant*, as the intake keeps it."""
    extensions = {name: text for name, text in event.extensions.items() if name not in _OURS}
    return InboundEvent(
        tenant=tenant,
        sender=sender,
        id=event.id,
        source=event.source,
        type=event.type,
        time=event.time,
        subject=event.subject,
        datacontenttype=event.datacontenttype,
        dataschema=event.dataschema,
        data=_content(event),
        extensions=extensions,
    )


def _content(event: CloudEvent) -> bytes:
    """Return the data as its media type has it: on the bus text stands in a JSON string."""
    data = bytes(event.data)
    if is_json(event.datacontenttype) or not data.startswith(b'"'):
        return data
    return msgspec.json.decode(data, type=str).encode()


_OURS: Final = frozenset({"tenant", "sender"})


def received(event: InboundEvent, position: int, at: datetime) -> ReceivedEvent:
    """Return *event*, which came *at*, as it is matched and read."""
    data, raw, binary = _data_of(event)
    attributes: dict[str, JsonValue] = {
        "specversion": "1.0",
        "id": event.id,
        "source": event.source,
        "type": event.type,
        "time": _written(event.time or at),
        **event.extensions,
    }
    optional = {
        "subject": event.subject,
        "datacontenttype": event.datacontenttype,
        "dataschema": event.dataschema,
    }
    attributes |= {name: text for name, text in optional.items() if text is not None}
    return ReceivedEvent(position, attributes, data, raw, binary)


def _data_of(event: InboundEvent) -> tuple[JsonValue | UnsetType, str, bool]:
    """Return the data, the same as they came, and whether they are base64."""
    if not event.data:
        return UNSET, "", False
    try:
        text = event.data.decode()
        return (_decode(event.data) if is_json(event.datacontenttype) else text), text, False
    except (UnicodeDecodeError, msgspec.DecodeError):
        encoded = b64encode(event.data).decode()
        return encoded, encoded, True


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
