"""The OpenAPI 3.1 document, made from the routes: what is not routed is not in it, and vice versa."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from chassis.errors import Kind
from gateway.routes.forms import FORM
from gateway.routes.oauth_error import OAuthError
from gateway.routes.problems import (
    FACES,
    JSON,
    PROBLEM_JSON,
    RETRIABLE,
    ErrorBody,
    Problem,
)
from gateway.routes.route import Access, Body, Dialect, Parameter, Reply, Route

Node = dict[str, Any]
_REFERENCE: Final = "#/components/schemas/{name}"
# An operator may shut out networks, from every route (`AUTOWORKER_IP_ALLOW`): hence 403.
_COMMON: Final = (
    Kind.MALFORMED, Kind.PERMISSION_DENIED, Kind.RATE_LIMITED, Kind.INTERNAL, Kind.UNAVAILABLE,
    Kind.DEADLINE_EXCEEDED,
)  # fmt: skip
_WITH_TOKEN: Final = (Kind.UNAUTHENTICATED,)
_WITH_BODY: Final = (Kind.INVALID, Kind.PAYLOAD_TOO_LARGE, Kind.UNSUPPORTED_MEDIA_TYPE)
_TAGS: Final = {
    "Identity": "Accounts, sessions and the tokens that prove them",
    "Users": "The accounts of a tenant, for administrators",
    "Roles": "What users may do, and who is which",
    "API keys": "What programs call with: `X-API-Key` instead of an access token, on every route",
    "Second factors": "Codes at login and for what is sensitive, and how they are set up",
    "Policies": "What is refused although roles allow it",
    "Workflows": "Documents in the Open Workflow Specification DSL 1.0",
    "Executions": "Durable runs of workflows",
    "Events": "CloudEvents 1.0 from outside",
    "Functions": "What workflows call besides their own functions, and the workers that serve it",
    "Schedules": "When workflows start by themselves",
    "Secrets": "What workflows use and nobody reads",
    "Dead letters": "What was given up, to be looked at, offered again or discarded",
    "Audit": "What happened, who did it, and what was refused",
    "Notifications": "The caller's inbox",
    "OAuth": "OAuth 2.1 and OpenID Connect, for applications that act for their users or themselves",
    "Operations": "Health, and this document",
}
_DESCRIPTION: Final = (
    "Durable workflows behind one gateway. Every answer carries `X-Request-Id`; every failure has "
    "the same shape, or RFC 9457 with `Accept: application/problem+json`. Lists take `limit` and "
    "`cursor`. Times are RFC 3339 in UTC."
)


_STATUSES: Final = ("400", "401", "403", "413", "415", "429", "500", "503", "504")
# What is refused before its route is known comes in the contract's own shape.
_UNROUTED: Final = {"schema": {"$ref": _REFERENCE.format(name="ErrorBody")}}
_PROBLEM: Final = {PROBLEM_JSON: {"schema": {"$ref": _REFERENCE.format(name="Problem")}}}
_OAUTH_ERROR: Final = {"$ref": _REFERENCE.format(name="OAuthError")}
_REFUSED: Final = {
    "description": "Refused, as RFC 6749 section 5.2 has it",
    "content": {JSON: {"schema": {"anyOf": [_OAUTH_ERROR, _UNROUTED["schema"]]}}, **_PROBLEM},
}
_REFUSING_PAGE: Final = {
    "description": "A page that says why",
    "content": {"text/html": {"schema": {"type": "string"}}, JSON: _UNROUTED, **_PROBLEM},
}
_ERRORS: Final = {
    Dialect.OAUTH: dict.fromkeys(_STATUSES, _REFUSED),
    Dialect.PAGE: dict.fromkeys(_STATUSES, _REFUSING_PAGE),
}


def document(routes: Iterable[Route], *, version: str) -> Node:
    """The whole document for *routes*."""
    listed = [route for route in routes if route.listed]
    schemas = _Schemas(listed)
    paths: dict[str, Node] = defaultdict(dict)
    for route in listed:
        paths[route.path][route.method.lower()] = _operation(route, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Autoworker",
            "version": version,
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": text} for name, text in _TAGS.items()],
        "security": [{"accessToken": []}, {"apiKey": []}],
        "paths": dict(paths),
        "components": {
            "schemas": schemas.components,
            "responses": {_response_name(kind): _error(kind) for kind in FACES},
            "headers": {
                "RequestId": {
                    "description": "Finds the request in the logs",
                    "schema": {"type": "string"},
                }
            },
            "securitySchemes": {
                "accessToken": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "`access_token` of POST /v1/auth/login",
                },
                "apiKey": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "X-API-Key",
                    "description": "`key` of POST /v1/api-keys; never together with an access token",
                },
            },
        },
    }


class _Schemas:
    """JSON Schemas of all types of the routes, with shared components."""

    def __init__(self, routes: Sequence[Route]) -> None:
        types: list[Any] = [ErrorBody, Problem, OAuthError]
        for route in routes:
            types += [reply.model for reply in route.replies if reply.model is not None]
            if route.body is not None and route.body.model is not None:
                types.append(route.body.model)
        schemas, components = msgspec.json.schema_components(types, ref_template=_REFERENCE)
        self._by_type = {repr(each): schema for each, schema in zip(types, schemas, strict=True)}
        self.components: Node = {
            name.lstrip("_"): _tidy(schema) for name, schema in components.items()
        }

    def of(self, model: Any) -> Node:
        """The schema of one type."""
        schema: Node = _tidy(self._by_type[repr(model)])
        return schema


def _tidy(node: Any) -> Any:
    """Private names made public, and msgspec's generic titles made readable."""
    if isinstance(node, Mapping):
        tidy = {key: _tidy(value) for key, value in node.items()}
        if isinstance(reference := tidy.get("$ref"), str):
            tidy["$ref"] = reference.replace("/_", "/")
        if isinstance(title := tidy.get("title"), str):
            tidy["title"] = title.lstrip("_")
        return tidy
    if isinstance(node, list):
        return [_tidy(item) for item in node]
    return node


def _operation(route: Route, schemas: _Schemas) -> Node:
    operation: Node = {
        "operationId": _operation_id(route),
        "summary": route.summary,
        "tags": [route.tag],
        "parameters": list(_parameters(route)),
        "responses": {
            **{str(reply.status): _reply(reply, schemas) for reply in route.replies},
            **(_errors(route) if route.dialect is Dialect.API else _ERRORS[route.dialect]),
        },
    }
    another = f", or `{route.or_permission}`" if route.or_permission else ""
    permission = f"Needs the permission `{route.permission}`{another}."
    text = route.description
    if route.permission is Access.PUBLIC:
        operation["security"] = []
    else:
        text = f"{text}\n\n{permission}".strip()
    if text:
        operation["description"] = text
    if route.body is not None:
        operation["requestBody"] = _request_body(route.body, schemas)
    return operation


def _operation_id(route: Route) -> str:
    words = re.findall(r"[A-Za-z]+", route.path.removeprefix("/v1"))
    return "".join([route.method.lower(), *(word.capitalize() for word in words)])


def _parameters(route: Route) -> Iterable[Node]:
    for name in re.findall(r"{(\w+)}", route.path):
        yield {
            "name": name,
            "in": "path",
            "required": True,
            "description": route.path_parameters.get(name, name),
            "schema": {"type": "string"},
        }
    for parameter in route.parameters:
        yield _parameter(parameter)
    if route.path.startswith("/v1/"):
        yield {
            "name": "API-Version",
            "in": "header",
            "required": False,
            "description": "Goes before the version in the path",
            "schema": {"type": "string", "enum": ["1", "v1"]},
        }


def _parameter(parameter: Parameter) -> Node:
    return {
        "name": parameter.name,
        "in": parameter.place,
        "required": False,
        "description": parameter.description,
        "schema": dict(parameter.schema),
    }


def _request_body(body: Body, schemas: _Schemas) -> Node:
    examples = {name: {"value": value} for name, value in body.examples.items()}
    content: Node = {}
    for media_type in body.media_types:
        structured = media_type.endswith("json") or media_type == FORM
        content[media_type] = {"schema": schemas.of(body.model) if structured else {}}
        if structured and "batch" not in media_type and examples:
            content[media_type]["examples"] = examples
        elif "batch" in media_type:
            content[media_type]["schema"] = {"type": "array", "items": schemas.of(body.model)}
    node: Node = {"required": body.required, "content": content}
    if body.description:
        node["description"] = body.description
    return node


def _reply(reply: Reply, schemas: _Schemas) -> Node:
    headers: Node = {"X-Request-Id": {"$ref": "#/components/headers/RequestId"}}
    for name, text in reply.headers.items():
        headers[name] = {"description": text, "schema": {"type": "string"}}
    node: Node = {"description": reply.description, "headers": headers}
    if reply.model is not None:
        content: Node = {"schema": schemas.of(reply.model)}
        if reply.media_type != JSON:
            content = {"schema": {"type": "string"}, "x-event-data": schemas.of(reply.model)}
        if reply.example is not None:
            content["example"] = reply.example
        node["content"] = {reply.media_type: content}
    elif reply.media_type != JSON:
        node["content"] = {reply.media_type: {"schema": {"type": "string"}}}
    return node


def _errors(route: Route) -> Node:
    kinds = [*_COMMON, *route.errors]
    if route.permission is not Access.PUBLIC:
        kinds += _WITH_TOKEN
    if route.body is not None:
        kinds += _WITH_BODY
    if route.parameters:
        kinds.append(Kind.INVALID)
    if not route.limit:
        kinds.remove(Kind.RATE_LIMITED)
    by_status: dict[str, Kind] = {}
    for kind in sorted(set(kinds), key=lambda each: FACES[each].status):
        by_status.setdefault(str(FACES[kind].status), kind)
    return {
        status: {"$ref": f"#/components/responses/{_response_name(kind)}"}
        for status, kind in by_status.items()
    }


def _response_name(kind: Kind) -> str:
    return "".join(word.capitalize() for word in kind.value.split("_"))


def _error(kind: Kind) -> Node:
    face = FACES[kind]
    example = {
        "error": {
            "code": face.code,
            "message": face.title,
            "details": [],
            "timestamp": "2026-01-15T10:30:00Z",
            "request_id": "0198c0de-7b3a-7c11-9d2e-5f6a7b8c9d0e",
        }
    }
    headers: Node = {"X-Request-Id": {"$ref": "#/components/headers/RequestId"}}
    if kind in RETRIABLE:
        headers["Retry-After"] = {
            "description": "Seconds to wait",
            "schema": {"type": "integer", "minimum": 1},
        }
    return {
        "description": face.title,
        "headers": headers,
        "content": {
            JSON: {"schema": {"$ref": _REFERENCE.format(name="ErrorBody")}, "example": example},
            PROBLEM_JSON: {"schema": {"$ref": _REFERENCE.format(name="Problem")}},
        },
    }
