"""From an operation and what the author gives to the request.

Source: OpenAPI 2.0, 3.0.4, 3.1.1; Open Workflow Specification, DSL reference, "OpenAPI Call".
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from msgspec import UNSET, UnsetType

from workflow_service.adapters.task_runners.openapi.bodies import chosen, encoded
from workflow_service.adapters.task_runners.openapi.operation import (
    Body,
    Object,
    Operation,
    Parameter,
    Place,
    as_object,
    unfit,
    unusable,
)
from workflow_service.adapters.task_runners.openapi.styles import (
    in_header,
    in_path,
    in_query,
)
from workflow_service.domain.definition.vocabulary import known_are
from workflow_service.domain.expressions import JsonValue

_TEMPLATE: Final = re.compile(r"\{([^{}]+)\}")
_BODY: Final = "body"


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent."""

    method: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None


def request_for(operation: Operation, given: Object, key: str) -> Request:
    """Return the request that calls *operation* with what is *given*; *key* tells calls apart.

    Raises:
        Raised: something is missing, unknown, or of the wrong kind.
    """
    values = _values(operation, given)
    url = operation.server + _path(operation, values)
    query = [pair for each, value in _of(values, "query") for pair in in_query(each, value)]
    headers = {each.name: in_header(each, value) for each, value in _of(values, "header")}
    cookies = [pair for each, value in _of(values, "cookie") for pair in in_query(each, value)]
    if cookies:
        headers["Cookie"] = "; ".join(cookies)
    wanted = next((text for name, text in headers.items() if name.lower() == "content-type"), "")
    body, media_type = _body(operation, given, wanted, key)
    if media_type:
        headers = {name: text for name, text in headers.items() if name.lower() != "content-type"}
        headers["Content-Type"] = media_type
    joint = "&" if "?" in url else "?"
    return Request(
        operation.method.upper(), url + (joint + "&".join(query) if query else ""), headers, body
    )


def _values(operation: Operation, given: Object) -> list[tuple[Parameter, JsonValue]]:
    """Return the parameters that are sent, each with its value."""
    values: list[tuple[Parameter, JsonValue]] = []
    for parameter in operation.parameters:
        value = given.get(parameter.name)
        if value is None and parameter.required:
            if isinstance(parameter.default, UnsetType):
                raise unfit(
                    f"the parameter {parameter.name[:80]!r} in {parameter.place} is required"
                )
            value = parameter.default
        if value is not None:
            values.append((parameter, value))
    return values


def _of(
    values: list[tuple[Parameter, JsonValue]], place: Place
) -> list[tuple[Parameter, JsonValue]]:
    return [pair for pair in values if pair[0].place == place]


def _path(operation: Operation, values: list[tuple[Parameter, JsonValue]]) -> str:
    known = {each.name: in_path(each, value) for each, value in _of(values, "path")}

    def text(found: re.Match[str]) -> str:
        if found[1] not in known:
            raise unusable(
                f"the path has {found[0][:80]!r}, which is no parameter of the operation"
            )
        if known[found[1]] in ("", ".", ".."):
            raise unfit(f"the parameter {found[1][:80]!r} would change the path that is called")
        return known[found[1]]

    return _TEMPLATE.sub(text, operation.path)


def _body(operation: Operation, given: Object, wanted: str, key: str) -> tuple[bytes | None, str]:
    names = {each.name for each in operation.parameters}
    rest = {name: value for name, value in given.items() if name not in names}
    body = operation.body
    if body is None:
        if rest:
            raise _unknown(next(iter(rest)), names)
        return None, ""
    value = _given_body(body, rest, names)
    if isinstance(value, UnsetType):
        if body.required:
            raise unfit(f"a body is required, as the parameter {body.name or _BODY!r}")
        return None, ""
    media_type = chosen(list(body.media_types), wanted)
    media = body.media_types.get(media_type.partition(";")[0].strip().lower(), {})
    return encoded(value, media_type, media, key)


def _given_body(body: Body, rest: Object, names: set[str]) -> JsonValue | UnsetType:
    """Return the body: what is given by its name, or all that is no parameter, as the members of one."""
    name, members = body.name or _BODY, _members_of(body)
    if name in rest and name not in members:
        others = [each for each in rest if each != name]
        if others:
            raise _unknown(others[0], {*names, name})
        return rest[name]
    if not rest:
        return UNSET
    unknown = [each for each in rest if members and each not in members]
    if unknown:
        raise _unknown(unknown[0], {*names, *members, name})
    missing = sorted(each for each in body.required_members if each not in rest)
    if missing:
        raise unfit(f"{missing[0][:80]!r} is required in the body")
    return rest


def _members_of(body: Body) -> set[str]:
    """Return the names of the members that a body may have; empty when it may have any."""
    members: set[str] = set()
    for media in body.media_types.values():
        schema = as_object(media.get("schema"))
        if schema.get("additionalProperties") not in (None, False):
            return set()
        members |= as_object(schema.get("properties")).keys()
    return members


def _unknown(name: str, known: set[str]) -> Exception:
    hint = known_are(name, tuple(sorted(known)))
    return unfit(f"the operation has no parameter {name[:80]!r}: {hint}")
