"""CloudEvents 1.0 as HTTP carries them: structured, batched, binary.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md
"""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Final
from urllib.parse import unquote

import msgspec
from msgspec import Raw

from chassis.errors import FieldProblem, Invalid
from gateway.ports import IncomingEvent
from gateway.routes import strict_json

STRUCTURED: Final = "application/cloudevents+json"
BATCH: Final = "application/cloudevents-batch+json"
MAX_BATCH: Final = 1000
MAX_ATTRIBUTE: Final = 2048
MAX_EXTENSIONS: Final = 32
_REQUIRED: Final = ("specversion", "id", "source", "type")
_KNOWN: Final = frozenset(
    {*_REQUIRED, "subject", "time", "datacontenttype", "dataschema", "data", "data_base64"}
)
_ATTRIBUTE: Final = re.compile(r"[a-z0-9]{1,64}")
_Time = Annotated[datetime, msgspec.Meta(tz=True)]


def structured(body: bytes) -> IncomingEvent:
    """One event in JSON.

    Raises:
        JsonRefused: it is not strict JSON.
        Invalid: it is not a CloudEvent.
    """
    strict_json.check(body)
    problems: list[FieldProblem] = []
    event = _event(_members(Raw(body), "", problems), "", problems)
    return _checked([event], problems)[0]


def batch(body: bytes) -> Sequence[IncomingEvent]:
    """A list of events in JSON.

    Raises:
        JsonRefused: it is not strict JSON.
        Invalid: not a list, or some of it are not CloudEvents.
    """
    strict_json.check(body)
    try:
        items = msgspec.json.decode(body, type=list[Raw])
    except msgspec.ValidationError:
        raise Invalid("A batch is a list", details=[FieldProblem("", "must be a list")]) from None
    if len(items) > MAX_BATCH:
        raise Invalid(f"A batch has at most {MAX_BATCH} events")
    problems: list[FieldProblem] = []
    events = [
        _event(_members(item, f"[{index}].", problems), f"[{index}].", problems)
        for index, item in enumerate(items)
    ]
    return _checked(events, problems)


def binary(headers: Mapping[str, str], body: bytes) -> IncomingEvent:
    """One event whose attributes are ``ce-…`` headers and whose data is the body.

    Raises:
        JsonRefused: it says its data is JSON, and it is not.
        Invalid: it is not a CloudEvent.
    """
    problems: list[FieldProblem] = []
    attributes: dict[str, str] = {}
    for name, value in headers.items():
        if name.lower().startswith("ce-"):
            attributes[name.lower().removeprefix("ce-")] = _header_text(name, value, problems)
    content_type = headers.get("Content-Type", "")
    if body and _is_json(content_type):
        strict_json.check(body)
    attributes.pop("datacontenttype", None)
    members = {name: Raw(msgspec.json.encode(value)) for name, value in attributes.items()}
    event = _event(members, "ce-", problems, data=body, content_type=content_type)
    return _checked([event], problems)[0]


def _checked(
    events: Sequence[IncomingEvent | None], problems: Sequence[FieldProblem]
) -> list[IncomingEvent]:
    if problems:
        raise Invalid("This is not a CloudEvent 1.0", details=problems)
    return [event for event in events if event is not None]


def _members(raw: Raw, path: str, problems: list[FieldProblem]) -> dict[str, Raw]:
    try:
        return msgspec.json.decode(raw, type=dict[str, Raw])
    except msgspec.ValidationError:
        problems.append(FieldProblem(path.rstrip("."), "must be an object"))
        return {name: Raw(b'"1.0"') for name in _REQUIRED}


def _event(
    members: dict[str, Raw],
    path: str,
    problems: list[FieldProblem],
    *,
    data: bytes | None = None,
    content_type: str = "",
) -> IncomingEvent | None:
    before = len(problems)
    texts = {
        name: _text(name, members.get(name), path, problems)
        for name in (*_REQUIRED, "subject", "datacontenttype", "dataschema")
    }
    if texts["specversion"] not in {"", "1.0"}:
        problems.append(FieldProblem(f"{path}specversion", "must be 1.0"))
    time = _time(members.get("time"), f"{path}time", problems)
    media_type = content_type or texts["datacontenttype"]
    content = _data(members, media_type, path, problems) if data is None else data
    extensions = _extensions(members, path, problems)
    if len(problems) > before:
        return None
    default = "application/json" if "data" in members else ""
    return IncomingEvent(
        id=texts["id"],
        source=texts["source"],
        type=texts["type"],
        subject=texts["subject"],
        time=time,
        data_content_type=media_type or default,
        data_schema=texts["dataschema"],
        data=content,
        extensions=extensions,
    )


def _text(name: str, raw: Raw | None, path: str, problems: list[FieldProblem]) -> str:
    if raw is None or raw == b"null":
        if name in _REQUIRED:
            problems.append(FieldProblem(f"{path}{name}", "is required"))
        return ""
    try:
        value = msgspec.json.decode(raw, type=str)
    except msgspec.ValidationError:
        problems.append(FieldProblem(f"{path}{name}", "must be a string"))
        return ""
    if not value or len(value) > MAX_ATTRIBUTE or not value.isprintable():
        wording = f"must have 1 to {MAX_ATTRIBUTE} printable characters"
        problems.append(FieldProblem(f"{path}{name}", wording))
    return value


def _time(raw: Raw | None, path: str, problems: list[FieldProblem]) -> datetime | None:
    if raw is None or raw == b"null":
        return None
    try:
        return msgspec.json.decode(raw, type=_Time)
    except msgspec.ValidationError:
        problems.append(FieldProblem(path, "must be a time with its zone (RFC 3339)"))
        return None


def _data(
    members: dict[str, Raw], media_type: str, path: str, problems: list[FieldProblem]
) -> bytes:
    """Return the data as its media type has it: text that is not JSON stands in a JSON string (JSON format, 3.1)."""
    if "data_base64" not in members:
        raw = members.get("data", Raw(b""))
        if not media_type or _is_json(media_type) or not bytes(raw).startswith(b'"'):
            return bytes(raw)
        return msgspec.json.decode(raw, type=str).encode()
    if "data" in members:
        problems.append(FieldProblem(f"{path}data_base64", "must not stand beside data"))
        return b""
    try:
        text = msgspec.json.decode(members["data_base64"], type=str)
        return base64.b64decode(text, validate=True)
    except (msgspec.ValidationError, binascii.Error, ValueError):
        problems.append(FieldProblem(f"{path}data_base64", "must be base64"))
        return b""


def _extensions(members: dict[str, Raw], path: str, problems: list[FieldProblem]) -> dict[str, str]:
    extensions: dict[str, str] = {}
    for name, raw in members.items():
        if name in _KNOWN or raw == b"null":
            continue
        text = _extension(raw)
        if not _ATTRIBUTE.fullmatch(name):
            problems.append(FieldProblem(f"{path}{name[:64]}", "is not a name of an attribute"))
        elif text is None:
            problems.append(FieldProblem(f"{path}{name}", "must be a string, number or boolean"))
        else:
            extensions[name] = text
    if len(extensions) > MAX_EXTENSIONS:
        problems.append(FieldProblem(path, f"must have at most {MAX_EXTENSIONS} extensions"))
    return extensions


def _extension(raw: Raw) -> str | None:
    """The canonical text of an extension's value, or None when it may not be one."""
    try:
        value = msgspec.json.decode(raw, type=str | int | bool)
    except msgspec.ValidationError:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    return text if len(text) <= MAX_ATTRIBUTE else None


def _header_text(name: str, value: str, problems: list[FieldProblem]) -> str:
    """Attributes in headers are percent-encoded UTF-8 (binding, section 3.1.3.2)."""
    try:
        return unquote(value, errors="strict").encode().decode()
    except (UnicodeDecodeError, UnicodeEncodeError):
        problems.append(FieldProblem(name, "must be percent-encoded UTF-8"))
        return "?"


def _is_json(content_type: str) -> bool:
    media_type = content_type.partition(";")[0].strip().lower()
    return media_type == "application/json" or media_type.endswith("+json")
