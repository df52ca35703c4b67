"""Parameters as text.

Source: OpenAPI 3.1.1, "Style Values" and "Style Examples"; OpenAPI 2.0, "collectionFormat"; RFC 6570.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from urllib.parse import quote

import msgspec

from workflow_service.adapters.task_runners.openapi.operation import Parameter, unfit
from workflow_service.domain.expressions import JsonValue

_RESERVED: Final = ":/?@!$'()*,;="
"""Those reserved characters that mean nothing else in a query."""
_DELIMITERS: Final = {
    "form": ",",
    "simple": ",",
    "spaceDelimited": "%20",
    "tabDelimited": "%09",
    "pipeDelimited": "%7C",
}


def in_path(parameter: Parameter, value: JsonValue) -> str:
    """Return what stands in the path in place of the parameter."""
    items = _items(parameter, value)
    match parameter.style, parameter.explode:
        case "label", True:
            return "".join(f".{each}" for each in _paired(items))
        case "label", False:
            return f".{','.join(_flat(items))}"
        case "matrix", True:
            name = _encoded(parameter.name, "")
            return "".join(f";{key or name}={text}" for key, text in items)
        case "matrix", False:
            return f";{_encoded(parameter.name, '')}={','.join(_flat(items))}"
        case style, True:
            return _DELIMITERS.get(style, ",").join(_paired(items))
        case style, False:
            return _DELIMITERS.get(style, ",").join(_flat(items))


def in_query(parameter: Parameter, value: JsonValue) -> list[str]:
    """Return the pairs, ``name=value``, that stand in the query."""
    name = _encoded(parameter.name, "")
    if parameter.style == "deepObject":
        return [f"{name}{path}={text}" for path, text in _deep(parameter, value)]
    items = _items(parameter, value)
    if isinstance(value, list | dict) and not parameter.as_json:
        if not items:
            return []
        if parameter.explode:
            return [f"{key or name}={text}" for key, text in items]
        return [f"{name}={_DELIMITERS.get(parameter.style, ',').join(_flat(items))}"]
    return [f"{name}={items[0][1]}"]


def in_header(parameter: Parameter, value: JsonValue) -> str:
    """Return the header's value; nothing is escaped there."""
    if parameter.as_json:
        return msgspec.json.encode(value).decode()
    match value:
        case list():
            return ",".join(plain(each) for each in value)
        case dict() if parameter.explode:
            return ",".join(f"{key}={plain(each)}" for key, each in value.items())
        case dict():
            return ",".join(f"{key},{plain(each)}" for key, each in value.items())
        case _:
            return plain(value)


def plain(value: JsonValue) -> str:
    """Return one value as text; what has parts of its own is JSON."""
    match value:
        case str():
            return value
        case None:
            return ""
        case _:
            return msgspec.json.encode(value).decode()


def _items(parameter: Parameter, value: JsonValue) -> list[tuple[str, str]]:
    """Return keys (empty for what has none) and texts, both escaped."""
    safe = _RESERVED if parameter.allow_reserved else ""
    if parameter.as_json:
        return [("", _encoded(msgspec.json.encode(value).decode(), safe))]
    match value:
        case list():
            return [("", _encoded(plain(each), safe)) for each in value]
        case dict():
            return [
                (_encoded(key, safe), _encoded(plain(each), safe)) for key, each in value.items()
            ]
        case _:
            return [("", _encoded(plain(value), safe))]


def _paired(items: list[tuple[str, str]]) -> list[str]:
    return [f"{key}={text}" if key else text for key, text in items]


def _flat(items: list[tuple[str, str]]) -> list[str]:
    return [part for key, text in items for part in ((key, text) if key else (text,))]


def _deep(parameter: Parameter, value: JsonValue) -> Iterator[tuple[str, str]]:
    if not isinstance(value, dict):
        raise unfit(f"the parameter {parameter.name[:80]!r} must be an object")
    safe = _RESERVED if parameter.allow_reserved else ""
    for key, member in value.items():
        yield from _deeper(f"%5B{_encoded(key, '')}%5D", member, safe)


def _deeper(path: str, value: JsonValue, safe: str) -> Iterator[tuple[str, str]]:
    match value:
        case dict():
            for key, member in value.items():
                yield from _deeper(f"{path}%5B{_encoded(key, '')}%5D", member, safe)
        case list():
            for each in value:
                yield from _deeper(path, each, safe)
        case _:
            yield path, _encoded(plain(value), safe)


def _encoded(text: str, safe: str) -> str:
    try:
        return quote(text, safe=safe)
    except UnicodeEncodeError:
        raise unfit("a parameter is not valid Unicode") from None
