"""Messages that come, as the DSL has them.

Source: Open Workflow Specification, DSL reference, "AsyncAPI Inbound Message".
"""

from __future__ import annotations

import base64
from datetime import datetime

import msgspec
from aio_pika.abc import AbstractIncomingMessage

from workflow_service.domain.expressions import JsonValue


def of_amqp(message: AbstractIncomingMessage) -> JsonValue:
    """Return a message of a broker."""
    headers: dict[str, JsonValue] = {k: _plain(v) for k, v in message.headers.items()}
    found: dict[str, JsonValue] = {"payload": payload_of(message.body), "headers": headers}
    correlation = message.correlation_id
    return found | ({"correlationId": correlation} if correlation is not None else {})


def of_socket(content: bytes) -> JsonValue:
    """Return a message of a WebSocket, which has no headers."""
    return {"payload": payload_of(content), "headers": {}}


def payload_of(content: bytes) -> JsonValue:
    """Return a payload: JSON decoded, else as text, else in base64; null if there is nothing."""
    if not content:
        return None
    try:
        decoded: JsonValue = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        try:
            return content.decode()
        except UnicodeDecodeError:
            return base64.b64encode(content).decode()
    return decoded


def _plain(value: object) -> JsonValue:
    """What AMQP knows and JSON does not, as text."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case bytes() | bytearray():
            return payload_of(bytes(value)) if value else ""
        case datetime():
            return value.isoformat()
        case dict():
            return {str(name): _plain(member) for name, member in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case _:
            return str(value)
