"""Request bodies in the media type that an operation wants.

Source: OpenAPI 3.1.1, "Media Type Object", "Encoding Object"; RFC 7578; OpenAPI 2.0, "formData".
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterator, Sequence
from typing import Final
from urllib.parse import urlencode

import msgspec

from workflow_service.adapters.task_runners.openapi.operation import (
    Object,
    as_object,
    as_text,
    unfit,
    unusable,
)
from workflow_service.adapters.task_runners.openapi.styles import plain
from workflow_service.domain.expressions import JsonValue

FORM: Final = "application/x-www-form-urlencoded"
MULTIPART: Final = "multipart/form-data"
_DELIMITERS: Final = {"spaceDelimited": " ", "pipeDelimited": "|", "tabDelimited": "\t"}


def chosen(media_types: Sequence[str], wanted: str) -> str:
    """Return which of *media_types* is sent: the one that the author wants, JSON, a form, a text, or the first.

    Raises:
        Raised: the operation does not take what the author wants.
    """
    if wanted:
        essence = wanted.partition(";")[0].strip().lower()
        if essence not in (each.partition(";")[0].strip() for each in media_types):
            raise unfit(
                f"the operation does not take {essence[:80]!r} but {', '.join(media_types)[:200]}"
            )
        return wanted
    if not media_types:
        raise unusable("the operation does not say what its body is")
    ranked = (is_json, FORM.__eq__, MULTIPART.__eq__, lambda each: each.startswith("text/"))
    for fits in ranked:
        for each in media_types:
            if fits(each.partition(";")[0].strip()):
                return each
    return "application/json" if media_types[0] in ("*/*", "application/*") else media_types[0]


def is_json(media_type: str) -> bool:
    """Whether *media_type* (without parameters) is JSON."""
    return media_type == "application/json" or media_type.endswith("+json")


def encoded(value: JsonValue, media_type: str, media: Object, key: str) -> tuple[bytes, str]:
    """Return *value* as bytes, and their Content-Type; *key* makes the same of the same call, always.

    Raises:
        Raised: it cannot be written so.
    """
    essence = media_type.partition(";")[0].strip().lower()
    if is_json(essence):
        return msgspec.json.encode(value), media_type
    if essence == FORM:
        return urlencode(list(_pairs(_members(value, essence), media))).encode(), media_type
    if essence == MULTIPART:
        return _multipart(_members(value, essence), media, key)
    if essence.startswith("text/") or essence.endswith("xml"):
        return plain(value).encode(), media_type
    return _bytes(value, "the body"), media_type


def _members(value: JsonValue, media_type: str) -> Object:
    if not isinstance(value, dict):
        raise unfit(f"a body of the type {media_type} must be an object")
    return value


def _pairs(members: Object, media: Object) -> Iterator[tuple[str, str]]:
    for name, value in members.items():
        encoding = as_object(as_object(media.get("encoding")).get(name))
        if value is None:
            continue
        if not isinstance(value, list):
            yield name, plain(value)
        elif encoding.get("explode") is not False:
            for each in value:
                yield name, plain(each)
        else:
            joint = _DELIMITERS.get(as_text(encoding.get("style")), ",")
            yield name, joint.join(plain(each) for each in value)


def _multipart(members: Object, media: Object, key: str) -> tuple[bytes, str]:
    boundary = hashlib.sha256(key.encode()).hexdigest()
    properties = as_object(as_object(media.get("schema")).get("properties"))
    content = bytearray()
    for name, value in members.items():
        schema = as_object(properties.get(name))
        items = value if isinstance(value, list) else [value]
        inner = as_object(schema.get("items")) if isinstance(value, list) else schema
        told = as_text(as_object(as_object(media.get("encoding")).get(name)).get("contentType"))
        for each in items if value is not None else ():
            head, body = _part(name, each, inner, told)
            content += f"--{boundary}\r\n{head}\r\n\r\n".encode() + body + b"\r\n"
    content += f"--{boundary}--\r\n".encode()
    return bytes(content), f"{MULTIPART}; boundary={boundary}"


def _part(name: str, value: JsonValue, schema: Object, media_type: str) -> tuple[str, bytes]:
    label = name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
    head = f'Content-Disposition: form-data; name="{label}"'
    declared = media_type.partition(",")[0].strip()
    if "\r" in declared or "\n" in declared:
        raise unusable("a media type has line breaks")
    if _is_binary(schema):
        kind = declared or as_text(schema.get("contentMediaType"), "application/octet-stream")
        head += f'; filename="{label}"\r\nContent-Type: {kind.splitlines()[0]}'
        return head, _bytes(value, f"{name[:80]!r}")
    if isinstance(value, dict | list):
        return f"{head}\r\nContent-Type: {declared or 'application/json'}", msgspec.json.encode(
            value
        )
    return head + (f"\r\nContent-Type: {declared}" if declared else ""), plain(value).encode()


def _is_binary(schema: Object) -> bool:
    """Whether a value is bytes, which workflows have in base64."""
    if schema.get("format") == "binary":
        return True
    return "contentMediaType" in schema and "contentEncoding" not in schema


def _bytes(value: JsonValue, what: str) -> bytes:
    try:
        return base64.b64decode(value if isinstance(value, str) else "?", validate=True)
    except (binascii.Error, ValueError):
        raise unfit(f"{what} must be bytes, in base64") from None
