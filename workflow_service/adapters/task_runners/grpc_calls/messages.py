"""Arguments as a message, and messages as data: the JSON mapping of Protocol Buffers.

Source: Protocol Buffers documentation, "ProtoJSON Format". Fields may be named as in the proto or in lowerCamelCase;
data that comes back has lowerCamelCase names, 64-bit integers as strings, bytes in base64 and enum values by name. A
field without presence is always there, one with presence only when it is set.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import json_format, message_factory
from google.protobuf.descriptor import Descriptor
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError

from workflow_service.domain.expressions import JsonValue


class MessageInvalid(Exception):
    """Data does not fit its message type; the message says where."""


def encoded(arguments: dict[str, JsonValue], kind: Descriptor, pool: DescriptorPool) -> bytes:
    """Return *arguments* as a message.

    Raises:
        MessageInvalid: they do not fit.
    """
    message = message_factory.GetMessageClass(kind)()
    try:
        _ = json_format.ParseDict(arguments, message, descriptor_pool=pool)
    except (json_format.ParseError, ValueError, TypeError, RecursionError) as exc:
        raise MessageInvalid(f"the arguments are no {kind.full_name}: {exc}"[:500]) from exc
    return message.SerializeToString()


def decoded(content: bytes, kind: Descriptor, pool: DescriptorPool) -> JsonValue:
    """Return a message as data.

    Raises:
        MessageInvalid: *content* is no such message.
    """
    message = message_factory.GetMessageClass(kind)()
    try:
        _ = message.ParseFromString(content)
        data: dict[str, Any] = json_format.MessageToDict(
            message, always_print_fields_with_no_presence=True, descriptor_pool=pool
        )
    except (DecodeError, json_format.SerializeToJsonError, ValueError, RecursionError) as exc:
        raise MessageInvalid(f"the answer is no {kind.full_name}") from exc
    return data
