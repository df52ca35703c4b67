"""Operations as OpenAPI 3 describes them.

Source: OpenAPI 3.0.4 and 3.1.1, "Parameter Object", "Request Body Object", "Server Object".
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urljoin

from msgspec import UNSET

from workflow_service.adapters.task_runners.openapi.described import Described
from workflow_service.adapters.task_runners.openapi.operation import (
    Body,
    Object,
    Operation,
    Parameter,
    Place,
    Style,
    as_list,
    as_object,
    as_text,
    unusable,
)
from workflow_service.adapters.task_runners.openapi.references import Found, References

_STYLES: Final[dict[Place, tuple[Style, ...]]] = {
    "path": ("simple", "label", "matrix"),
    "query": ("form", "spaceDelimited", "pipeDelimited", "deepObject"),
    "header": ("simple",),
    "cookie": ("form",),
}
"""What a place may have; the first one is the default."""
_UNLISTED: Final = ("oneOf", "anyOf", "if", "dependentSchemas", "patternProperties")
_SCHEMAS: Final = 8
"""How deep schemas that are made of others are looked into."""
_VARIABLE: Final = re.compile(r"\{([^{}]+)\}")


async def read_version_3(described: Described, references: References) -> Operation:
    """Return the operation.

    Raises:
        Raised: its description cannot be used.
        ResourceFailed: another document that it refers to cannot be had.
    """
    found = await described.parameters(references)
    parameters = [await _parameter(each, references) for each in found]
    return Operation(
        method=described.method,
        server=_server(described),
        path=described.path,
        parameters=tuple(parameters),
        body=await _body(described.operation, references),
    )


async def _parameter(found: Found, references: References) -> Parameter:
    value = found.value
    name, place = as_text(value.get("name")), as_text(value.get("in"))
    if not name or place not in _STYLES:
        raise unusable(
            f"the parameter {name[:80]!r} is in {place[:40]!r}, which is no place for one"
        )
    where: Place = place
    style = as_text(value.get("style"), _STYLES[where][0])
    if style not in _STYLES[where]:
        raise unusable(
            f"the parameter {name[:80]!r} in {place} cannot have the style {style[:40]!r}"
        )
    explode = value.get("explode")
    schema = await references.resolved(found.part(value.get("schema")))
    return Parameter(
        name=name,
        place=where,
        required=value.get("required") is True or where == "path",
        style=style,
        explode=explode if isinstance(explode, bool) else style in ("form", "deepObject"),
        allow_reserved=value.get("allowReserved") is True,
        as_json=any(_is_json(kind) for kind in as_object(value.get("content"))),
        default=schema.value.get("default", UNSET),
    )


async def _body(operation: Found, references: References) -> Body | None:
    if "requestBody" not in operation.value:
        return None
    found = await references.resolved(operation.part(operation.value["requestBody"]))
    media_types: dict[str, Object] = {}
    required: set[str] = set()
    for kind, each in as_object(found.value.get("content")).items():
        media = found.part(each)
        schema = await references.resolved(media.part(media.value.get("schema")))
        media_types[kind.lower()] = {
            "schema": await with_properties(schema, references),
            "encoding": as_object(media.value.get("encoding")),
        }
        required |= {as_text(name) for name in as_list(schema.value.get("required"))}
    return Body(
        required=found.value.get("required") is True,
        media_types=media_types,
        required_members=frozenset(required),
    )


async def with_properties(schema: Found, references: References, depth: int = _SCHEMAS) -> Object:
    """Return *schema* with its own properties, and those of the parts that it is made of, looked up.

    What may have members that cannot be listed has ``additionalProperties``, whatever it says itself.
    """
    properties: Object = {}
    unlisted = any(word in schema.value for word in _UNLISTED) or depth == 0
    for part in as_list(schema.value.get("allOf"))[:20] if depth else ():
        inner = await references.resolved(schema.part(part))
        found = await with_properties(inner, references, depth - 1)
        properties |= as_object(found["properties"])
        unlisted = unlisted or found.get("additionalProperties") not in (None, False)
    properties |= await _properties(schema, references)
    more: Object = {"additionalProperties": True} if unlisted else {}
    return {**schema.value, "properties": properties, **more}


async def _properties(schema: Found, references: References) -> Object:
    return {
        name: (await references.resolved(schema.part(each))).value
        for name, each in as_object(schema.value.get("properties")).items()
    }


def _server(described: Described) -> str:
    """Return the first server of the operation, of its path or of the whole; relative to the document."""
    for owner in (described.operation, described.item, described.root):
        for each in as_list(owner.value.get("servers")):
            return absolute(_filled(as_object(each)), owner.document.uri)
    return absolute("/", described.root.document.uri)


def absolute(server: str, document: str) -> str:
    """Return where the server is, without a slash at the end.

    Raises:
        Raised: that cannot be told.
    """
    try:
        found = urljoin(document, server)
    except ValueError:
        found = ""
    if not found.lower().startswith(("https://", "http://")):
        raise unusable(
            f"the server {server[:200]!r} is not an address that can be called over HTTP"
        )
    return found.rstrip("/")


def _filled(server: Object) -> str:
    variables = as_object(server.get("variables"))

    def value(found: re.Match[str]) -> str:
        default = as_object(variables.get(found[1])).get("default")
        if not isinstance(default, str):
            raise unusable(f"the variable {found[1][:80]!r} of the server has no default")
        return default

    return _VARIABLE.sub(value, as_text(server.get("url"), "/"))


def _is_json(media_type: str) -> bool:
    essence = media_type.partition(";")[0].strip().lower()
    return essence == "application/json" or essence.endswith("+json")
