"""A route as data: what it answers to, who may use it, what it takes and gives.

The same record drives matching, access, reading of bodies and the OpenAPI document, so none of them
can say something that another does not do.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, TypeVar

import msgspec
from aiohttp import web
from multidict import CIMultiDict, CIMultiDictProxy

from chassis.errors import Kind
from gateway.ports import Caller, Service
from gateway.routes import bodies
from gateway.routes.problems import JSON
from gateway.routes.queries import Query

S = TypeVar("S", bound=msgspec.Struct)


class Access(Enum):
    """Who may use a route, when it is not a permission that decides."""

    PUBLIC = "public"
    """Anybody, without a token."""


class Dialect(Enum):
    """How failures are told."""

    API = "api"
    """In the one error shape of the contract."""
    OAUTH = "oauth"
    """As RFC 6749 section 5.2 has it."""
    PAGE = "page"
    """As a page, to somebody with a browser."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter in the query or in a header; *schema* is its JSON Schema."""

    name: str
    description: str
    schema: Mapping[str, object]
    place: str = "query"


@dataclass(frozen=True, slots=True)
class Body:
    """What a route reads: media types, and the struct that a JSON body is."""

    model: Any = None
    media_types: tuple[str, ...] = (JSON,)
    required: bool = True
    examples: Mapping[str, object] = field(default_factory=dict)
    description: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """One good answer: its status, what it means, and the type that is encoded."""

    status: int
    description: str
    model: Any = None
    media_type: str = JSON
    example: object = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One method on one path.

    Args:
        permission: what the caller needs, or `Access.PUBLIC`. Left out, the gateway does not start.
        or_permission: another permission that will do as well; "" for none.
        service: the neighbour that the caller's internal token is for.
        finishes: go on when the client has left, because something would be left half done.
        limit: the name of the rate limit; "" for none.
        errors: the kinds of failure that are this route's own; common ones are added.
        dialect: how its failures are told.
    """

    method: str
    path: str
    handler: "Handler"
    summary: str
    tag: str
    replies: Sequence[Reply]
    permission: "str | Access | None" = None
    or_permission: str = ""
    service: Service = "workflow"
    body: Body | None = None
    parameters: Sequence[Parameter] = ()
    path_parameters: Mapping[str, str] = field(default_factory=dict)
    description: str = ""
    errors: Sequence[Kind] = ()
    finishes: bool = False
    limit: str = "default"
    listed: bool = True
    dialect: Dialect = Dialect.API


@dataclass(slots=True)
class Incoming:
    """A request on its way through: parsed, identified, not yet answered."""

    http: web.BaseRequest
    method: str
    path: str
    query_text: str
    headers: CIMultiDictProxy[str]
    request_id: str
    address: str
    started: float
    answer_headers: CIMultiDict[str]
    traceparent: str = ""
    route: Route | None = None
    arguments: dict[str, str] = field(default_factory=dict)
    caller_or_none: Caller | None = None
    body: bytes = b""
    media_type: str = ""

    @property
    def caller(self) -> Caller:
        """Who asks; only routes that are not public may ask for it."""
        if self.caller_or_none is None:
            raise LookupError("a public route has no caller")
        return self.caller_or_none

    def read(self, model: type[S]) -> S:
        """The body as a *model*.

        Raises:
            JsonRefused: it is not strict JSON.
            Invalid: some fields are wrong.
        """
        return bodies.read(model, self.body)

    def query(self) -> Query:
        """The parameters behind the question mark."""
        return Query(self.query_text)


Handler = Callable[[Incoming], Awaitable[web.StreamResponse]]
_ENCODER: Final = msgspec.json.Encoder()


def answer(
    value: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    """*value* as JSON."""
    response = web.Response(body=_ENCODER.encode(value), status=status, content_type=JSON)
    if headers:
        response.headers.update(headers)
    return response


def raw_answer(body: bytes, content_type: str) -> web.Response:
    """Bytes that are a whole answer already."""
    return web.Response(body=body, content_type=content_type)


def nothing() -> web.Response:
    """Done, and there is nothing to say."""
    return web.Response(status=204)
