"""``call``: HTTP requests, functions, and what the other protocols have their own modules for."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, Literal, cast

from workflow_service.domain.definition.a2a_calls import read_a2a
from workflow_service.domain.definition.asyncapi_calls import read_asyncapi
from workflow_service.domain.definition.building import Builder, Scope
from workflow_service.domain.definition.endpoints import read_endpoint
from workflow_service.domain.definition.grpc_calls import read_grpc
from workflow_service.domain.definition.mcp_calls import read_mcp
from workflow_service.domain.definition.model import (
    CallFunctionTask,
    CallHttpTask,
    CallServedTask,
    Task,
)
from workflow_service.domain.definition.openapi_calls import read_openapi
from workflow_service.domain.definition.pinned import (
    DEFAULT,
    CatalogFunction,
    function_pointer,
    in_catalog,
)
from workflow_service.domain.definition.pointers import child
from workflow_service.domain.definition.served import missing, named
from workflow_service.domain.definition.task_base import BaseMembers
from workflow_service.domain.definition.vocabulary import PROTOCOLS, known_are
from workflow_service.domain.expressions import JsonValue, Template

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)


def read_call(
    builder: Builder, task: dict[str, JsonValue], base: BaseMembers, scope: Scope
) -> Task | None:
    """Read a ``call`` task; None when it is refused."""
    call = str(task["call"])
    reader = _READERS.get(call)
    if reader is not None:
        return reader(builder, task, base, scope)
    place = child(base["reference"], "call")
    if call in PROTOCOLS:
        builder.refused(f"call.{call}", place)
        return None
    return _function(builder, task, base, scope)


def _function(
    builder: Builder, task: dict[str, JsonValue], base: BaseMembers, scope: Scope
) -> Task | None:
    name, place = str(task["call"]), child(base["reference"], "call")
    arguments: Template | None = None
    if "with" in task:
        arguments = builder.template(task["with"], child(base["reference"], "with"), scope)
    if name not in builder.use.get("functions", {}):
        return _served(builder, name, base, arguments)
    body = builder.function(builder, name, place)
    if body is None:
        return None
    return CallFunctionTask(**base, function=name, arguments=arguments, body=body)


def _served(
    builder: Builder, call: str, base: BaseMembers, arguments: Template | None
) -> Task | None:
    """Read a call of a function that is not in the document."""
    place = child(base["reference"], "call")
    filed = in_catalog(call)
    if filed is not None and not _is_served(builder, *filed):
        body = builder.catalog_function(builder, *filed, place)
        if body is None:
            return None
        return CallFunctionTask(**base, function=call, arguments=arguments, body=body)
    function = named(call.removesuffix(f"@{DEFAULT}"))
    if function is None:
        builder.problem(
            place, f"{call[:80]!r} is no function: write name, name:version or name:version@catalog"
        )
        return None
    name, version = function
    problem = None if builder.served is None else missing(name, version, builder.served)
    if problem is not None:
        known = (*builder.use.get("functions", {}), *(builder.served or ()), *PROTOCOLS)
        hint = known_are(name, known)
        builder.problem(place, f"{call[:80]!r} is not in use.functions ({hint}); {problem}")
        return None
    return CallServedTask(**base, function=name, version=version, arguments=arguments)


def _is_served(builder: Builder, function: CatalogFunction, catalog: str) -> bool:
    """Whether the default catalog is the one that is built in: what the operator and workers serve."""
    if catalog != DEFAULT or catalog in builder.use.get("catalogs", {}):
        return False
    return not builder.default_catalog and function_pointer(function, catalog) not in builder.pinned


def _http(builder: Builder, task: dict[str, JsonValue], base: BaseMembers, scope: Scope) -> Task:
    options, place = cast("dict[str, JsonValue]", task["with"]), child(base["reference"], "with")
    endpoint, authentication = read_endpoint(
        builder, options["endpoint"], child(place, "endpoint"), scope
    )

    def part(name: str) -> Template | None:
        if name not in options:
            return None
        return builder.template(options[name], child(place, name), scope)

    _check_headers(builder, options.get("headers"), child(place, "headers"))
    return CallHttpTask(
        **base,
        method=_method(builder, str(options["method"]), child(place, "method")),
        endpoint=endpoint,
        headers=part("headers"),
        query=part("query"),
        body=part("body"),
        output=cast('Literal["raw", "content", "response"]', options.get("output", "content")),
        redirect=options.get("redirect") is True,
        authentication=authentication,
    )


def _method(builder: Builder, method: str, pointer: str) -> str:
    if _TOKEN.fullmatch(method) is None:
        builder.problem(pointer, "must be an HTTP method such as get or post")
    elif method.upper() == "CONNECT":
        builder.problem(pointer, "CONNECT asks for a tunnel, which a call cannot use")
    return method.upper()


def _check_headers(builder: Builder, headers: JsonValue, pointer: str) -> None:
    for name, value in headers.items() if isinstance(headers, dict) else ():
        if _TOKEN.fullmatch(name) is None:
            builder.problem(child(pointer, name), f"{name[:80]!r} cannot be the name of a header")
        if isinstance(value, str) and re.search(r"[\r\n\0]", value) and "${" not in value:
            builder.problem(child(pointer, name), "a header value cannot have line breaks")


_READERS: Final[
    Mapping[str, Callable[[Builder, dict[str, JsonValue], BaseMembers, Scope], Task | None]]
] = {
    "a2a": read_a2a,
    "asyncapi": read_asyncapi,
    "openapi": read_openapi,
    "grpc": read_grpc,
    "http": _http,
    "mcp": read_mcp,
}
"""How each protocol is read; one without a reader has its row in NOT_YET."""
