"""Events as AMQP messages: CloudEvents in binary mode, under a seal that covers all of it.

Source: CloudEvents AMQP protocol binding 1.0.2, section 3.1. Attributes are headers that begin with
"cloudEvents_", the media type is the property of the message, the data its body. Beside them stand who
published it, a number that only ever grows, and an HMAC-SHA256 over all of these.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from aiormq import spec

from chassis.clock import Clock
from chassis.crypto.key_file import WrappingKeys
from chassis.crypto.sealing import derived, same, tag
from chassis.errors import Invalid
from chassis.messaging.media import is_json
from chassis.messaging.port import NO_DATA, CloudEvent

ATTRIBUTE: Final = "cloudEvents_"
SEAL: Final = "autoworker_seal"
"""The header with schema, producer, number, key and HMAC, blanks between them: one header, since each one costs time to write and read."""
SCHEMA: Final = "1"
"""Version of this form; another one is refused."""
LARGEST_HEAD: Final = 64 * 1024
"""Bytes of all headers: RabbitMQ ends a connection that brings a frame of more than 128 KiB."""
LONGEST_TYPE: Final = 255
"""Bytes of a routing key, as AMQP 0-9-1 has it."""
OLDEST_DAYS: Final = 30
"""After so many days an event that turns up again is taken for a replay."""

_PURPOSE: Final = "bus messages"
_MICROSECOND: Final = 1_000_000
_encode = msgspec.json.Encoder().encode


class Refused(Exception):
    """A message that nobody vouches for; its text says what is wrong with it."""

    def __init__(self, reason: str, code: str) -> None:
        super().__init__(reason)
        self.code = code
        """The same in one word, for metrics."""


class Seals:
    """Makes and proves the seals of messages.

    Args:
        producer: who publishes here.
        keys: shared by all who publish and consume; the last one seals.
        clock: tells the time.
    """

    def __init__(self, producer: str, keys: WrappingKeys, clock: Clock) -> None:
        self._producer = producer
        self._current = keys.current
        self._keys = {name: derived(key, _PURPOSE) for name, key in keys.keys.items()}
        self._clock = clock
        self._last = 0

    def sealed(self, event: CloudEvent) -> tuple[spec.Basic.Properties, bytes]:
        """The message that carries *event*.

        Raises:
            Invalid: no message can.
        """
        body = _body(event)
        attributes = _attributes(event)
        number = self._number()
        size = sum(len(name) + len(text.encode()) for name, text in attributes.items())
        if size > LARGEST_HEAD:
            raise Invalid(f"its attributes take {size} bytes, more than {LARGEST_HEAD}")
        if not 0 < len(event.type.encode()) <= LONGEST_TYPE:
            raise Invalid(f"its type must have 1 to {LONGEST_TYPE} bytes")
        text = _text_of(self._producer, number, event.datacontenttype, attributes, body)
        mac = tag(self._keys[self._current], text).hex()
        seal = f"{SCHEMA} {self._producer} {number} {self._current} {mac}"
        headers: dict[str, Any] = {**attributes, SEAL: seal}
        properties = spec.Basic.Properties(
            content_type=event.datacontenttype or None,
            headers=headers,
            delivery_mode=2,
            message_id=f"{self._producer}-{number}",
            app_id=self._producer,
        )
        return properties, body

    def opened(
        self, properties: spec.Basic.Properties, body: bytes, *, any_age: bool = False
    ) -> CloudEvent:
        """The event that a message carries, which may be of *any_age*.

        Raises:
            Refused: it was not published by one of us, or not as it is now.
        """
        headers = properties.headers or {}
        schema, *seal = str(headers.get(SEAL, "")).split(" ")
        if schema != SCHEMA or len(seal) != 4:
            raise Refused(f"it has no seal of schema {SCHEMA}", "schema")
        attributes = {
            name: text
            for name, text in headers.items()
            if name.startswith(ATTRIBUTE) and isinstance(text, str)
        }
        number = self._proved(seal, properties.content_type, attributes, body)
        age = self._clock.now().timestamp() - number / _MICROSECOND
        if age > OLDEST_DAYS * 86_400 and not any_age:
            raise Refused(f"it was published more than {OLDEST_DAYS} days ago", "old")
        return _event(attributes, properties.content_type, body)

    def _proved(
        self,
        seal: Sequence[str],
        media_type: str | None,
        attributes: Mapping[str, str],
        body: bytes,
    ) -> int:
        producer, sequence, key_id, told = seal
        key = self._keys.get(key_id)
        if key is None:
            raise Refused("it is not signed with a key that is known here", "key")
        try:
            number, mac = int(sequence), bytes.fromhex(told)
        except ValueError as exc:
            raise Refused("its seal cannot be read", "seal") from exc
        if not same(mac, tag(key, _text_of(producer, number, media_type, attributes, body))):
            raise Refused("its seal does not fit: it was forged or altered", "seal")
        return number

    def unproved(
        self, properties: spec.Basic.Properties, body: bytes, routing_key: str
    ) -> CloudEvent:
        """What a message that was refused says about itself, as far as it can be read; without its data."""
        headers = properties.headers or {}

        def told(name: str, otherwise: str) -> str:
            text = headers.get(ATTRIBUTE + name)
            return text[:1000] if isinstance(text, str) and text else otherwise

        digest = hashlib.sha256(_encode([str(sorted(headers.items())), routing_key]) + body)
        return CloudEvent(
            id=told("id", digest.hexdigest()[:32]),
            source=told("source", "unknown"),
            type=told("type", routing_key or "unknown"),
            time=self._clock.now(),
            data=msgspec.Raw(_encode({"bytes": len(body)})),
            extensions={"digest": digest.hexdigest()},
        )

    def _number(self) -> int:
        """Grows with every message, and from one start of the service to the next."""
        now = int(self._clock.now().timestamp() * _MICROSECOND)
        self._last = max(self._last + 1, now)
        return self._last


def _attributes(event: CloudEvent) -> dict[str, str]:
    attributes = {
        "specversion": "1.0",
        "id": event.id,
        "source": event.source,
        "type": event.type,
        "time": event.time.isoformat(),
        **event.extensions,
    }
    if event.subject is not None:
        attributes["subject"] = event.subject
    if event.dataschema is not None:
        attributes["dataschema"] = event.dataschema
    if any(len(name.encode()) > 200 for name in attributes):
        raise Invalid("the name of an attribute is too long")
    return {ATTRIBUTE + name: text for name, text in attributes.items()}


def _body(event: CloudEvent) -> bytes:
    """The data; on the bus text stands in a JSON string."""
    data = bytes(event.data)
    if is_json(event.datacontenttype) or not data.startswith(b'"'):
        return data
    return msgspec.json.decode(data, type=str).encode()


def _text_of(
    producer: str,
    number: int,
    media_type: str | None,
    attributes: Mapping[str, str],
    body: bytes,
) -> bytes:
    """What the seal covers; no two messages give the same."""
    head = [SCHEMA, producer, number, media_type, sorted(attributes.items())]
    return _encode(head) + hashlib.sha256(body).digest()


def _event(attributes: Mapping[str, str], media_type: str | None, body: bytes) -> CloudEvent:
    named = {name.removeprefix(ATTRIBUTE): text for name, text in attributes.items()}
    try:
        if named.pop("specversion") != "1.0":
            raise Refused("it is not of CloudEvents 1.0", "malformed")
        return CloudEvent(
            id=named.pop("id"),
            source=named.pop("source"),
            type=named.pop("type"),
            time=msgspec.convert(named.pop("time"), datetime),
            data=_data(media_type, body),
            subject=named.pop("subject", None),
            datacontenttype=media_type or None,
            dataschema=named.pop("dataschema", None),
            extensions=named,
        )
    except (KeyError, ValueError, RecursionError) as exc:
        raise Refused("it is no CloudEvent that can be read", "malformed") from exc


def _data(media_type: str | None, body: bytes) -> msgspec.Raw:
    if not body:
        return NO_DATA
    if is_json(media_type):
        msgspec.json.decode(body)
        return msgspec.Raw(body)
    try:
        return msgspec.Raw(_encode(body.decode()))
    except UnicodeDecodeError:
        # As base64, which is what msgspec makes of bytes.
        return msgspec.Raw(_encode(body))
