"""Operations as Swagger 2.0 describes them.

Source: OpenAPI 2.0, "Parameter Object", "Swagger Object".
"""

from __future__ import annotations

from typing import Final, cast
from urllib.parse import urlsplit

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
    as_text,
    unusable,
)
from workflow_service.adapters.task_runners.openapi.references import Found, References
from workflow_service.adapters.task_runners.openapi.version_3 import absolute, with_properties

_FORM: Final = "application/x-www-form-urlencoded"
_MULTIPART: Final = "multipart/form-data"
_COLLECTIONS: Final[dict[str, Style]] = {
    "csv": "form",
    "multi": "form",
    "ssv": "spaceDelimited",
    "tsv": "tabDelimited",
    "pipes": "pipeDelimited",
}


async def read_version_2(described: Described, references: References) -> Operation:
    """Return the operation.

    Raises:
        Raised: its description cannot be used.
        ResourceFailed: another document that it refers to cannot be had.
    """
    found = await described.parameters(references)
    plain = [each for each in found if each.value.get("in") not in ("body", "formData")]
    return Operation(
        method=described.method,
        server=_server(described),
        path=described.path,
        parameters=tuple(_parameter(each.value) for each in plain),
        body=await _body(described, found, references),
    )


def _parameter(value: Object) -> Parameter:
    name, place = as_text(value.get("name")), as_text(value.get("in"))
    if not name or place not in ("path", "query", "header"):
        raise unusable(
            f"the parameter {name[:80]!r} is in {place[:40]!r}, which is no place for one"
        )
    collection = as_text(value.get("collectionFormat"), "csv")
    style = _COLLECTIONS.get(collection)
    if style is None:
        raise unusable(f"the parameter {name[:80]!r} has the collection format {collection[:40]!r}")
    if place != "query" and style == "form":
        style = "simple"
    return Parameter(
        name=name,
        place=cast("Place", place),
        required=value.get("required") is True or place == "path",
        style=style,
        explode=collection == "multi",
        default=value.get("default", UNSET),
    )


async def _body(
    described: Described, parameters: list[Found], references: References
) -> Body | None:
    media_types = _consumed(described)
    for each in parameters:
        if each.value.get("in") == "body":
            schema = await references.resolved(each.part(each.value.get("schema")))
            media: Object = {"schema": await with_properties(schema, references)}
            return Body(
                required=each.value.get("required") is True,
                media_types=dict.fromkeys(media_types or ["application/json"], media),
                name=as_text(each.value.get("name")),
                required_members=frozenset(
                    as_text(name) for name in as_list(schema.value.get("required"))
                ),
            )
    fields = [each.value for each in parameters if each.value.get("in") == "formData"]
    return _form(fields, media_types) if fields else None


def _form(fields: list[Object], media_types: list[str]) -> Body:
    files = any(each.get("type") == "file" for each in fields)
    fitting = [kind for kind in media_types if kind in (_FORM, _MULTIPART)]
    chosen = _MULTIPART if files else next(iter(fitting), _FORM)
    required = frozenset(
        as_text(each.get("name")) for each in fields if each.get("required") is True
    )
    properties: Object = {as_text(each.get("name")): _as_schema(each) for each in fields}
    schema: Object = {"type": "object", "properties": properties}
    encoding: Object = {
        as_text(each.get("name")): {
            "style": _COLLECTIONS.get(as_text(each.get("collectionFormat"), "csv"), "form"),
            "explode": each.get("collectionFormat") == "multi",
        }
        for each in fields
    }
    return Body(
        required=bool(required),
        media_types={chosen: {"schema": schema, "encoding": encoding}},
        required_members=required,
    )


def _as_schema(field: Object) -> Object:
    return {"type": "string", "format": "binary"} if field.get("type") == "file" else field


def _consumed(described: Described) -> list[str]:
    for owner in (described.operation, described.root):
        if "consumes" in owner.value:
            return [as_text(kind).lower() for kind in as_list(owner.value["consumes"])]
    return []


def _server(described: Described) -> str:
    """Return the server; what the document leaves out is as where it was found."""
    root, found = described.root.value, urlsplit(described.root.document.uri)
    offered = as_list(described.operation.value.get("schemes")) or as_list(root.get("schemes"))
    known = [scheme for scheme in ("https", "http") if scheme in offered]
    if offered and not known:
        raise unusable("the service is not offered over HTTP")
    scheme = known[0] if known else found.scheme
    host = as_text(root.get("host"), found.netloc)
    return absolute(
        f"{scheme}://{host}{as_text(root.get('basePath'))}", described.root.document.uri
    )
