"""The AMQP 0-9-1 bindings of AsyncAPI, as far as they say something to us.

Source: AsyncAPI bindings, "AMQP", 0.2 and 0.3.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from workflow_service.adapters.task_runners.asyncapi.documents import Destination
from workflow_service.adapters.task_runners.asyncapi.references import AsyncApiInvalid, text_of
from workflow_service.domain.expressions import JsonValue

_KINDS: Final = ("topic", "direct", "fanout", "headers")
_PERSISTENT: Final = 2


@dataclass(frozen=True, slots=True)
class Exchange:
    """Where messages are published."""

    name: str
    """Empty: the default one, which leads to the queue that a message names."""
    type: str
    """Empty: it is taken as it is, and not declared."""
    durable: bool
    auto_delete: bool


@dataclass(frozen=True, slots=True)
class Queue:
    """Where messages wait."""

    name: str
    """Empty: the broker makes a name up."""
    durable: bool
    exclusive: bool
    auto_delete: bool
    declared: bool
    """Whether the document says how it is: else it is taken as it is."""


@dataclass(frozen=True, slots=True)
class Sending:
    """How a message is published."""

    mandatory: bool
    persistent: bool
    priority: int | None
    expiration: float | None
    """Seconds."""
    copies: tuple[str, ...]
    """Further routing keys."""


def is_queue(place: Destination) -> bool:
    """Whether the channel stands for a queue; else its address is a routing key of an exchange.

    With the default exchange it is both: there a routing key is the name of a queue (AMQP 0-9-1, 3.1.3.1).
    """
    named = text_of(_object(place.channel, "exchange"), "name")
    return text_of(place.channel, "is") == "queue" or not named


def exchange_of(place: Destination) -> Exchange:
    """Return the channel's exchange.

    Raises:
        AsyncApiInvalid: it is of no known type.
    """
    members = _object(place.channel, "exchange")
    kind = text_of(members, "type")
    if kind not in ("", "default", *_KINDS):
        raise AsyncApiInvalid(f"{kind[:80]!r} is no type of exchange")
    name = text_of(members, "name")
    return Exchange(
        name=name,
        type=kind if name and kind in _KINDS else "",
        durable=_flag(members, "durable", default=True),
        auto_delete=_flag(members, "autoDelete", default=False),
    )


def queue_of(place: Destination) -> Queue:
    """Return the channel's queue: with the channel's own name where it stands for one and gives no other."""
    members = _object(place.channel, "queue")
    name = text_of(members, "name") or (place.address if is_queue(place) else "")
    return Queue(
        name=name,
        durable=_flag(members, "durable", default=True),
        exclusive=_flag(members, "exclusive", default=not name),
        auto_delete=_flag(members, "autoDelete", default=not name),
        declared=bool(members) or not name,
    )


def virtual_host_of(place: Destination) -> str:
    """Return the virtual host that the bindings name; empty when they do not."""
    part = "queue" if is_queue(place) else "exchange"
    return text_of(_object(place.channel, part), "vhost")


def sending_of(place: Destination) -> Sending:
    """Return how the operation wants its messages published."""
    members = place.operation
    priority, expiration = members.get("priority"), members.get("expiration")
    copies = members.get("cc")
    return Sending(
        mandatory=_flag(members, "mandatory", default=True),
        persistent=members.get("deliveryMode", _PERSISTENT) == _PERSISTENT,
        priority=priority if isinstance(priority, int) else None,
        expiration=expiration / 1000 if isinstance(expiration, int) else None,
        copies=tuple(str(each) for each in copies) if isinstance(copies, list) else (),
    )


def _object(members: Mapping[str, JsonValue], name: str) -> Mapping[str, JsonValue]:
    value = members.get(name)
    return value if isinstance(value, dict) else {}


def _flag(members: Mapping[str, JsonValue], name: str, *, default: bool) -> bool:
    value = members.get(name)
    return value if isinstance(value, bool) else default
