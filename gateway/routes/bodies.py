"""Bodies of requests as typed structs, with all of their problems at once."""

import re
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Raw, Struct, UnsetType

from chassis.errors import FieldProblem, Invalid
from gateway.routes import strict_json

S = TypeVar("S", bound=Struct)
_PLACE: Final = re.compile(r" - at (?:`key` in )?`\$([^`]*)`$")
_NAMED: Final = re.compile(r"^Object (missing required|contains unknown) field `(.*)`$")
_TYPES: Final = {
    "str": "a string",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
    "datetime": "a time (RFC 3339)",
}


def given(data: Raw | UnsetType) -> bytes:
    """The JSON of a field as it was written; nothing for one that was left out."""
    return b"" if isinstance(data, UnsetType) else bytes(data)


def read(model: type[S], body: bytes) -> S:
    """*body* as a *model*; an empty body stands for an empty object.

    Raises:
        JsonRefused: it is not strict JSON.
        Invalid: unknown, missing or wrong fields, each of them named.
    """
    if body:
        strict_json.check(body)
    problems: list[FieldProblem] = []
    value = _struct(model, Raw(body or b"{}"), "", problems)
    if problems or value is None:
        raise Invalid("Invalid input data", details=problems)
    return value


def _struct(model: type[S], raw: Raw, path: str, problems: list[FieldProblem]) -> S | None:
    """The struct in *raw*, or None with what is wrong added to *problems*."""
    try:
        members = msgspec.json.decode(raw, type=dict[str, Raw])
    except msgspec.ValidationError:
        problems.append(FieldProblem(path, "must be an object"))
        return None
    before = len(problems)
    values: dict[str, Any] = {}
    for field in msgspec.structs.fields(model):
        name = f"{path}.{field.encode_name}" if path else field.encode_name
        member = members.pop(field.encode_name, None)
        if member is not None:
            values[field.name] = _value(field.type, member, name, problems)
        elif field.required:
            problems.append(FieldProblem(name, "is required"))
    for unknown in members:
        name = f"{path}.{unknown}" if path else unknown
        problems.append(FieldProblem(name, "is not a known field"))
    return model(**values) if len(problems) == before else None


def _value(kind: Any, raw: Raw, path: str, problems: list[FieldProblem]) -> Any:
    if kind is Raw or kind == Raw | UnsetType:
        return raw
    if isinstance(kind, type) and issubclass(kind, Struct):
        return _struct(kind, raw, path, problems)
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.ValidationError as exc:
        problems.append(problem_of(path, str(exc)))
    return None


def problem_of(path: str, message: str) -> FieldProblem:
    """What msgspec says about a value, for somebody who does not know msgspec."""
    place = _PLACE.search(message)
    if place is not None:
        message = message[: place.start()]
        path = _joined(path, place[1])
    if named := _NAMED.match(message):
        missing = named[1] == "missing required"
        return FieldProblem(
            _joined(path, f".{named[2]}"), "is required" if missing else "is not a known field"
        )
    return FieldProblem(path, _plain(message))


def _joined(path: str, rest: str) -> str:
    # "[...]" is msgspec's way to say "some item of the list" or "some value of the object".
    return (path + rest.replace("[...]", "[]")).lstrip(".")


def _plain(message: str) -> str:
    wording = re.sub(r"`([^`]*)`", lambda kinds: _kinds(kinds[1]), message)
    if wording.startswith("Expected "):
        return "must be " + wording.removeprefix("Expected ").replace("of length", "with a length")
    if wording.startswith("Invalid RFC3339"):
        return f"must be {_TYPES['datetime']}, such as 2026-01-15T10:30:00Z"
    return wording[:1].lower() + wording[1:]


def _kinds(kinds: str) -> str:
    return " or ".join(_TYPES.get(kind, kind) for kind in kinds.split(" | "))
