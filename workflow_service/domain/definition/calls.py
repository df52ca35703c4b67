"""``call``: HTTP requests and the document's own functions."""

from __future__ import annotations

import re
from typing import Literal, cast

from workflow_service.domain.definition.building import ROOT_SCOPE, Builder, Scope
from workflow_service.domain.definition.model import (
    Authentication,
    BasicAuthentication,
    BearerAuthentication,
    CallFunctionTask,
    CallHttpTask,
    CallServedTask,
    Task,
)
from workflow_service.domain.definition.pointers import child
from workflow_service.domain.definition.served import missing, named
from workflow_service.domain.definition.task_base import BaseMembers
from workflow_service.domain.definition.vocabulary import PROTOCOLS, known_are
from workflow_service.domain.expressions import JsonValue, Template

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):", re.ASCII)
_BRACES = re.compile(r"\{([^{}]*)\}")
_OPERATORS = "+#./;?&=,!@|"
_LATER = ("digest", "oauth2", "oidc")


def read_call(
    builder: Builder, task: dict[str, JsonValue], base: BaseMembers, scope: Scope
) -> Task | None:
    """Read a ``call`` task; None when it is refused."""
    call = task["call"]
    if call == "http":
        return _http(builder, task, base, scope)
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
    place, function = child(base["reference"], "call"), named(call)
    if function is None:
        builder.refused("call.catalog", place)
        return None
    name, version = function
    problem = None if builder.served is None else missing(name, version, builder.served)
    if problem is not None:
        known = (*builder.use.get("functions", {}), *(builder.served or ()), *PROTOCOLS)
        hint = known_are(name, known)
        builder.problem(place, f"{call[:80]!r} is not in use.functions ({hint}); {problem}")
        return None
    return CallServedTask(**base, function=name, version=version, arguments=arguments)


def _http(builder: Builder, task: dict[str, JsonValue], base: BaseMembers, scope: Scope) -> Task:
    options, place = cast("dict[str, JsonValue]", task["with"]), child(base["reference"], "with")
    endpoint, authentication = _endpoint(
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


def _endpoint(
    builder: Builder, endpoint: JsonValue, pointer: str, scope: Scope
) -> tuple[Template, Authentication | None]:
    authentication: Authentication | None = None
    if isinstance(endpoint, dict):
        if "authentication" in endpoint:
            authentication = read_authentication(
                builder, endpoint["authentication"], child(pointer, "authentication"), scope
            )
        endpoint, pointer = endpoint.get("uri"), child(pointer, "uri")
    if isinstance(endpoint, str) and "${" not in endpoint and not builder.loose:
        _check_uri(builder, endpoint, pointer)
    return builder.template(endpoint, pointer, scope), authentication


def _check_uri(builder: Builder, uri: str, pointer: str) -> None:
    scheme = _SCHEME.match(uri)
    if scheme is None and not uri.startswith("{"):
        builder.problem(
            pointer, "must begin with https:// or http://: there is nothing it could be relative to"
        )
    elif scheme is not None and scheme[1].lower() not in ("http", "https"):
        builder.problem(pointer, f"{scheme[1]}: is not called over HTTP; use https: or http:")
    for found in _BRACES.finditer(uri):
        if not found[1] or found[1][0] in _OPERATORS:
            builder.problem(
                pointer, f"{found[0][:80]} is not supported: only {{name}} is replaced in a URI"
            )


def read_authentication(
    builder: Builder, policy: JsonValue, pointer: str, scope: Scope
) -> Authentication | None:
    """Read an authentication policy, or the name of one in ``use.authentications``."""
    if isinstance(policy, dict) and isinstance(name := policy.get("use"), str):
        found = builder.reusable("authentications", name, child(pointer, "use"))
        if found is None:
            return None
        policy, pointer = found
    if not isinstance(policy, dict):
        return None
    for kind in _LATER:
        if kind in policy:
            builder.refused(f"authentication.{kind}", child(pointer, kind))
            return None
    kind = "basic" if "basic" in policy else "bearer"
    members, place = policy.get(kind), child(pointer, kind)
    if not isinstance(members, dict):
        return None
    if "use" in members:
        builder.refused("authentication.secret", child(place, "use"))
        return None
    if kind == "bearer":
        return BearerAuthentication(_credential(builder, members, "token", place, scope))
    return BasicAuthentication(
        username=_credential(builder, members, "username", place, scope),
        password=_credential(builder, members, "password", place, scope),
    )


def _credential(
    builder: Builder, members: dict[str, JsonValue], name: str, pointer: str, scope: Scope
) -> Template:
    return builder.template(members.get(name), child(pointer, name), scope)


def check_unused_authentications(builder: Builder) -> None:
    """Read the policies that no call uses, for the problems in them."""
    for name, policy in builder.use.get("authentications", {}).items():
        place = child("/use/authentications", name)
        if ("authentications", name) not in builder.used and builder.sound(place):
            read_authentication(builder, policy, place, ROOT_SCOPE)
