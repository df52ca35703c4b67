"""Publish CloudEvents from outside."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec

from chassis.clock import Clock
from chassis.errors import FieldProblem, Invalid
from chassis.messaging.media import is_json
from workflow_service.application.caller import Caller
from workflow_service.application.ports import InboundEvent, InboundEvents
from workflow_service.application.projections.announcements import OWN_TYPES

MOST_EVENTS: Final = 1_000
"""How many events one request may have."""
LONGEST: Final = 2_048
"""Characters of an attribute."""
MOST_EXTENSIONS: Final = 32
LARGEST: Final = 1024 * 1024
"""Bytes of one event's data."""

# CloudEvents 1.0.2, "Naming Conventions" and "Type System".
_NAME: Final = re.compile(r"[a-z0-9]{1,20}")
_FORBIDDEN: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff\ud800-\udfff]")
_RESERVED: Final = frozenset({"specversion", "data", "data_base64", "tenant", "sender"})


class EventsInvalid(Invalid):
    """Some events are not what CloudEvents 1.0 asks for; none was published."""

    def __init__(self, problems: Sequence[FieldProblem]) -> None:
        super().__init__("the events are not valid CloudEvents", details=problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingEvent:
    """An event as somebody sent it."""

    id: str
    source: str
    type: str
    specversion: str = "1.0"
    time: datetime | None = None
    subject: str | None = None
    datacontenttype: str | None = None
    dataschema: str | None = None
    data: bytes = b""
    extensions: dict[str, str]


@dataclass(frozen=True, slots=True)
class PublishEvents:
    """Publish events to all who listen; one that was published before is left out."""

    caller: Caller
    events: tuple[IncomingEvent, ...]


@dataclass(frozen=True, slots=True)
class PublishEventsHandler:
    """Returns how many were new, once they are durable; raises ``EventsInvalid``."""

    inbound: InboundEvents
    clock: Clock

    async def __call__(self, command: PublishEvents) -> int:
        problems = list(_problems(command.events))
        if problems:
            raise EventsInvalid(problems)
        # An empty batch is a valid one (CloudEvents' JSON format, 4.3).
        if not command.events:
            return 0
        caller = command.caller
        events = [_inbound(event, caller) for event in command.events]
        return await self.inbound.add(events, self.clock.now())


def _inbound(event: IncomingEvent, caller: Caller) -> InboundEvent:
    return InboundEvent(
        tenant=caller.tenant,
        sender=caller.id,
        id=event.id,
        source=event.source,
        type=event.type,
        time=event.time,
        subject=event.subject,
        datacontenttype=event.datacontenttype,
        dataschema=event.dataschema,
        data=event.data,
        extensions=event.extensions,
    )


def _problems(events: Sequence[IncomingEvent]) -> Iterator[FieldProblem]:
    if len(events) > MOST_EVENTS:
        yield FieldProblem("events", f"must not be more than {MOST_EVENTS}")
        return
    for index, event in enumerate(events):
        for name, message in _problems_of(event):
            yield FieldProblem(f"events/{index}/{name}", message)


def _problems_of(event: IncomingEvent) -> Iterator[tuple[str, str]]:
    if event.specversion != "1.0":
        yield "specversion", 'must be "1.0"'
    for name, text in _attributes(event).items():
        if name in {"id", "source", "type"} and not text:
            yield name, "is required"
        elif text is not None and len(text) > LONGEST:
            yield name, f"must not be longer than {LONGEST} characters"
        elif text is not None and _FORBIDDEN.search(text):
            yield name, "must not hold control characters"
    if event.type.startswith(OWN_TYPES):
        yield "type", "is one that only the engine may announce"
    yield from _problems_of_extensions(event)
    yield from _problems_of_data(event)


def _attributes(event: IncomingEvent) -> dict[str, str | None]:
    return {
        "id": event.id,
        "source": event.source,
        "type": event.type,
        "subject": event.subject,
        "datacontenttype": event.datacontenttype,
        "dataschema": event.dataschema,
        **event.extensions,
    }


def _problems_of_extensions(event: IncomingEvent) -> Iterator[tuple[str, str]]:
    if len(event.extensions) > MOST_EXTENSIONS:
        yield "extensions", f"must not be more than {MOST_EXTENSIONS}"
    for name in event.extensions:
        if name in _RESERVED:
            yield name, "is not for senders to set"
        elif not _NAME.fullmatch(name):
            yield name[:40], "must be named by 1 to 20 lower-case letters and digits"


def _problems_of_data(event: IncomingEvent) -> Iterator[tuple[str, str]]:
    if len(event.data) > LARGEST:
        yield "data", f"must not be larger than {LARGEST} bytes"
    elif event.data and is_json(event.datacontenttype):
        try:
            msgspec.json.decode(event.data)
        except (msgspec.DecodeError, RecursionError):
            yield "data", "is not JSON, which its datacontenttype says it is"
