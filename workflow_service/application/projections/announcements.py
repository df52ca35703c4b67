"""Facts of a history as CloudEvents for the bus."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from chassis.messaging.media import is_json
from chassis.messaging.port import CloudEvent
from workflow_service.application.ports import InboundEvent, Recorded
from workflow_service.application.projections.fact_types import OWN, TYPES
from workflow_service.application.projections.history import About, history_item
from workflow_service.application.projections.phases import OPTIONAL, told_besides, types_besides
from workflow_service.domain.execution.events import EventEmitted
from workflow_service.domain.execution.workflow_events import (
    WorkflowCancelled,
    WorkflowCompleted,
    WorkflowFaulted,
)
from workflow_service.domain.expressions import JsonValue
from workflow_service.domain.secret_markers import masked_json

SOURCE: Final = "/autoworker/workflow"
OWN_TYPES: Final = ("io.serverlessworkflow.", "io.autoworker.")
"""Beginnings of the types that are ours to announce: whoever hears them may believe them."""

EXECUTION_ENDED: Final = OWN + "execution-ended.v1"

CLAIM_CHECK: Final = 64 * 1024
"""Bytes of an output above which an event only says where to fetch it (CloudEvents, "Size Limits")."""

_ATTRIBUTES: Final = frozenset(
    {
        "specversion",
        "id",
        "source",
        "type",
        "time",
        "subject",
        "data",
        "datacontenttype",
        "dataschema",
    }
)
_encode = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(dict[str, JsonValue])


class Announced(msgspec.Struct, frozen=True):
    """An execution, as far as its announcements tell about it."""

    about: About
    tenant: str
    owner: str
    started_at: datetime | None


Wanted = Callable[[str], bool]
"""Whether anybody listens to a type."""


def required(event_type: str) -> bool:
    """Want everything but what the standard leaves to runtimes."""
    return event_type not in OPTIONAL


def announcements(who: Announced, recorded: Recorded, wanted: Wanted) -> Iterator[CloudEvent]:
    """Yield what *recorded*, a fact of *who*, has to tell those who listen."""
    match recorded.event:
        case EventEmitted(event=event):
            kind = str(event.get("type", ""))
            # An author must not speak for the engine; such an event stays in the history only.
            if not kind.startswith(OWN_TYPES) and wanted(kind):
                yield emitted_event(event, recorded.at, who.tenant)
        case WorkflowCancelled() | WorkflowCompleted() | WorkflowFaulted() as end:
            if wanted(EXECUTION_ENDED):
                yield _cloud_event(
                    who, recorded, EXECUTION_ENDED, _ended(who, end, recorded.at), "ended"
                )
        case _:
            pass
    if wanted(TYPES[type(recorded.event)]):
        item = history_item(who.about, recorded)
        yield _cloud_event(who, recorded, item.type, claim_checked(who.about, item.data))
    if any(map(wanted, types_besides(type(recorded.event)))):
        for told in told_besides(who.about, recorded):
            if wanted(told.type):
                yield _cloud_event(who, recorded, told.type, told.data, told.name)


def _masked(event: dict[str, JsonValue]) -> dict[str, JsonValue]:
    encoded = _encode(event)
    masked = masked_json(encoded)
    return event if masked is encoded else _decode.decode(masked)


def claim_checked(about: About, data: dict[str, Any]) -> dict[str, Any]:
    """Return *data* with a large output replaced by the address of what has it; a large event is left out."""
    if "item" in data and len(_encode(data["item"])) > CLAIM_CHECK:
        data = {name: value for name, value in data.items() if name != "item"}
    if "output" not in data or len(_encode(data["output"])) <= CLAIM_CHECK:
        return data
    place = f"/v1/executions/{about.execution}"
    if "task" in data:
        place += "/history"
    return {name: value for name, value in data.items() if name != "output"} | {"outputUri": place}


def emitted_event(event: dict[str, JsonValue], at: datetime, tenant: str) -> CloudEvent:
    """Return the CloudEvent that an author's ``emit`` made, as it is but for secrets."""
    event = _masked(event)
    return CloudEvent(
        id=str(event.get("id", "")),
        source=str(event.get("source", "")),
        type=str(event.get("type", "")),
        time=_time_of(event.get("time"), at),
        data=msgspec.Raw(_encode(event["data"]) if "data" in event else b""),
        subject=_text(event.get("subject")),
        datacontenttype=_text(event.get("datacontenttype", "application/json")),
        dataschema=_text(event.get("dataschema")),
        extensions=_extensions(event) | {"tenant": tenant},
    )


def inbound_event(event: InboundEvent, at: datetime) -> CloudEvent:
    """Return the CloudEvent that somebody sent, as it came; *at* is when that was."""
    return CloudEvent(
        id=event.id,
        source=event.source,
        type=event.type,
        time=event.time or at,
        data=msgspec.Raw(_as_json(event.data, event.datacontenttype)),
        subject=event.subject,
        datacontenttype=event.datacontenttype,
        dataschema=event.dataschema,
        # Last, so that nobody speaks for another tenant or person.
        extensions=event.extensions | {"tenant": event.tenant, "sender": event.sender},
    )


def _as_json(data: bytes, media_type: str | None) -> bytes:
    if not data or is_json(media_type):
        return data
    try:
        return _encode(data.decode())
    except UnicodeDecodeError:
        # As base64, which is what msgspec makes of bytes.
        return _encode(data)


def _ended(
    who: Announced, end: WorkflowCancelled | WorkflowCompleted | WorkflowFaulted, at: datetime
) -> dict[str, Any]:
    match end:
        case WorkflowCancelled():
            status, error = "cancelled", None
        case WorkflowCompleted():
            status, error = "completed", None
        case WorkflowFaulted():
            status, error = "faulted", end.error
    return {
        "execution_id": who.about.execution,
        "workflow": who.about.definition,
        "status": status,
        "owner": who.owner,
        "tenant": who.tenant,
        "error": error,
        "started_at": who.started_at,
        "ended_at": at,
    }


def _cloud_event(
    who: Announced, recorded: Recorded, event_type: str, data: dict[str, Any], besides: str = ""
) -> CloudEvent:
    """Return an event; what a fact tells *besides* itself has a name: ids of the same source must differ."""
    suffix = f"/{besides}" if besides else ""
    return CloudEvent(
        id=f"{who.about.execution}/{recorded.sequence}{suffix}",
        source=SOURCE,
        type=event_type,
        time=recorded.at,
        data=msgspec.Raw(masked_json(_encode(data))),
        subject=who.about.execution,
        extensions={"tenant": who.tenant},
    )


def _extensions(event: dict[str, JsonValue]) -> dict[str, str]:
    return {
        name: value if isinstance(value, str) else _encode(value).decode()
        for name, value in event.items()
        if name not in _ATTRIBUTES
    }


def _time_of(value: JsonValue, otherwise: datetime) -> datetime:
    try:
        moment = msgspec.convert(value, datetime)
    except msgspec.ValidationError:
        return otherwise
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _text(value: JsonValue) -> str | None:
    return value if isinstance(value, str) else None
