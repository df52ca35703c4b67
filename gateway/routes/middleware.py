"""The way of every request: screened, routed, identified, limited, read, served, told.

One function instead of a stack of middlewares: the order is the security, and it can be read here.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from aiohttp import hdrs, web

from chassis.audit import Audit
from chassis.clock import Clock
from chassis.errors import Cancelled, Kind, Malformed, PayloadTooLarge, ServiceError
from chassis.ids import Ids
from chassis.lifecycle import Supervisor
from chassis.rpc.context import Call, enter_call
from chassis.telemetry import tracing
from chassis.telemetry.logging import get_logger
from chassis.telemetry.metrics import counter, histogram
from gateway.ports import Caller
from gateway.routes import headers as head
from gateway.routes import reading
from gateway.routes.access_log import AccessLog, Line, trace_id
from gateway.routes.address import Network, client_address
from gateway.routes.admission import Admission
from gateway.routes.dialects import translated
from gateway.routes.problems import (
    RequestRefused,
    RequestTooSlow,
    WrongMethod,
    internal_error,
    render,
    wants_problem_json,
)
from gateway.routes.refusals import tell
from gateway.routes.route import Body, Incoming, Route
from gateway.routes.router import VERSION_HEADER, Router, split_target
from gateway.routes.screening import screen
from gateway.routes.sse import MEDIA_TYPE as EVENT_STREAM

MAX_BODY: Final = 1024 * 1024
NO_ROUTE: Final = "(none)"
CLOSING: Final = frozenset({413, 414, 431})

_log = get_logger("gateway.requests")
_requests = counter("http_requests_total", "Requests answered", ("method", "route", "status")).child
_durations = histogram("http_request_duration_seconds", "Time to answer", ("route",)).child


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What serving a request takes, besides its route."""

    router: Router
    admission: Admission
    supervisor: Supervisor
    access_log: AccessLog
    clock: Clock
    ids: Ids
    audit: Audit
    proxies: Sequence[Network] = ()
    origins: Sequence[str] = ()
    max_body: int = MAX_BODY


class Pipeline:
    """Serves requests; an `aiohttp.web.Server` calls it with each."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._with = surroundings

    async def __call__(self, http: web.BaseRequest) -> web.StreamResponse:
        """Answer *http*, whatever it is."""
        request = self._incoming(http)
        status = 499
        try:
            response = await self._answered(request)
            status = response.status
            return response
        finally:
            self._tell(request, status)

    def refuse(self, http: web.BaseRequest, error: ServiceError) -> web.StreamResponse:
        """The answer to something that is not even a request."""
        request = self._incoming(http)
        response = self._error(request, error)
        self._tell(request, response.status)
        return response

    def refusal(self, error: ServiceError) -> bytes:
        """The whole answer, on the wire, for a connection that has not sent a request."""
        request_id = self._with.ids.new()
        rendered = render(error, request_id=request_id, now=self._with.clock.now())
        headers = head.fresh(request_id)
        headers.update(rendered.headers)
        headers["Content-Type"] = rendered.content_type
        headers["Content-Length"] = str(len(rendered.body))
        headers["Connection"] = "close"
        _requests("-", NO_ROUTE, str(rendered.status)).inc()
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        reason = HTTPStatus(rendered.status).phrase
        status_line = f"HTTP/1.1 {rendered.status} {reason}\r\n"
        return f"{status_line}{lines}\r\n".encode("ascii") + rendered.body

    async def _answered(self, request: Incoming) -> web.StreamResponse:
        try:
            response = await self._serve(request)
        except ServiceError as exc:
            response = self._error(request, exc)
        except (ConnectionError, asyncio.CancelledError):
            raise
        except Exception:  # noqa: BLE001 -- whatever it was, the client gets the error shape
            _log.exception("request_failed", route=_name(request), request_id=request.request_id)
            response = self._error(request, internal_error())
        if not response.prepared:
            for name, value in request.answer_headers.items():
                response.headers.setdefault(name, value)
        return response

    async def _serve(self, request: Incoming) -> web.StreamResponse:
        http = request.http
        screen(http)
        path, request.query_text = split_target(reading.target(http))
        self._with.admission.check(request)
        cross_origin = head.allow_origin(
            request.headers, self._with.origins, request.answer_headers
        )
        version = request.headers.get(VERSION_HEADER)
        if cross_origin and request.method == "OPTIONS":
            return self._preflight(request, path, version)
        route, request.arguments = self._with.router.find(request.method, path, version)
        request.route = route
        if request.method == "HEAD" and route.replies[0].media_type == EVENT_STREAM:
            raise WrongMethod(("GET",))
        await self._with.admission.admit(request, route)
        if route.body is not None:
            await self._read(request, route.body)
        if route.finishes:
            return await self._finish(request, route)
        return await self._handle(request, route)

    async def _read(self, request: Incoming, wanted: Body) -> None:
        http, limit = request.http, self._with.max_body
        length = http.content_length
        if length is not None and length > limit:
            raise PayloadTooLarge(f"The body may have at most {limit} bytes")
        if http.can_read_body:
            request.media_type = reading.media_type(request, wanted)
            if hdrs.EXPECT in request.headers:
                await http.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                http.writer.output_size = 0
            request.body = await reading.whole_body(http, limit)
        if wanted.required and not request.body:
            raise Malformed("A body is required")

    async def _handle(self, request: Incoming, route: Route) -> web.StreamResponse:
        caller = request.caller_or_none
        self._enter(request, caller)
        with tracing.span(f"{route.method} {route.path}") as span:
            if caller is not None:
                span.set("user.id", caller.principal.id)
            return await route.handler(request)

    async def _finish(self, request: Incoming, route: Route) -> web.StreamResponse:
        """Serve it to its end, also when the client does not wait for that."""
        outcome: asyncio.Future[web.StreamResponse] = asyncio.get_running_loop().create_future()

        async def work() -> None:
            try:
                response = await self._handle(request, route)
            except ServiceError as exc:
                if not outcome.done():
                    outcome.set_exception(exc)
            else:
                if not outcome.done():
                    outcome.set_result(response)

        task = self._with.supervisor.spawn(f"{route.method} {route.path}", work())
        task.add_done_callback(lambda ended: _pass_on(ended, outcome))
        return await outcome

    def _enter(self, request: Incoming, caller: Caller | None) -> None:
        tracing.adopt(request.request_id, request.traceparent)
        if caller is not None:
            trace = request.traceparent
            enter_call(Call(caller.principal, request.request_id, trace, None, request.address))

    def _preflight(self, request: Incoming, path: str, version: str | None) -> web.StreamResponse:
        method = request.headers.get("Access-Control-Request-Method", "")
        allowed: Sequence[str] = (method,)
        try:
            self._with.router.find(method, path, version)
        except WrongMethod as exc:
            allowed = exc.allowed
        head.preflight(allowed, request.answer_headers)
        return web.Response(status=204)

    def _incoming(self, http: web.BaseRequest) -> Incoming:
        headers = http.headers
        sent = head.acceptable_request_id(headers.get(head.REQUEST_ID))
        request_id = sent or self._with.ids.new()
        forwarded = headers.getall("X-Forwarded-For", []) if self._with.proxies else []
        return Incoming(
            http=http,
            method=http.method,
            path=reading.shown(http.raw_path),
            query_text="",
            headers=headers,
            request_id=request_id,
            address=client_address(http.remote or "", forwarded, self._with.proxies),
            started=self._with.clock.monotonic(),
            answer_headers=head.fresh(request_id),
            traceparent=tracing.accept_traceparent(headers.get("traceparent")),
        )

    def _error(self, request: Incoming, error: ServiceError) -> web.Response:
        tell(self._with.audit, request, error)
        # Whatever a neighbour says about its own mistakes is for its log, not for strangers.
        shown = internal_error() if error.kind is Kind.INTERNAL else error
        rendered = render(
            shown,
            request_id=request.request_id,
            now=self._with.clock.now(),
            path=request.path,
            as_problem=wants_problem_json(request.headers.get("Accept")),
        )
        if request.route is not None:
            rendered = translated(rendered, shown, request.route.dialect)
        response = web.Response(
            status=rendered.status, body=rendered.body, content_type=rendered.content_type
        )
        response.headers.update(rendered.headers)
        for name, value in request.answer_headers.items():
            response.headers.setdefault(name, value)
        if isinstance(error, RequestRefused | RequestTooSlow) or rendered.status in CLOSING:
            response.headers["Connection"] = "close"
            response.force_close()
        return response

    def _tell(self, request: Incoming, status: int) -> None:
        now = self._with.clock.monotonic()
        name, caller = _name(request), request.caller_or_none
        _requests(request.method, name, str(status)).inc()
        _durations(name).observe(now - request.started)
        if self._with.access_log.enabled:
            self._with.access_log.add(
                Line(
                    timestamp=self._with.clock.now(),
                    event="http_request",
                    level="info" if status < 500 else "error",
                    method=request.method,
                    path=request.path,
                    route=name,
                    status=status,
                    duration_ms=round((now - request.started) * 1000, 3),
                    address=request.address,
                    request_id=request.request_id,
                    trace_id=trace_id(request.traceparent),
                    principal=caller.principal.id if caller else "",
                )
            )


def _pass_on(ended: asyncio.Task[None], outcome: "asyncio.Future[web.StreamResponse]") -> None:
    if outcome.done():
        return
    if ended.cancelled():
        outcome.set_exception(Cancelled("The gateway stopped before this was finished"))
    elif (exc := ended.exception()) is not None:
        outcome.set_exception(exc)


def _name(request: Incoming) -> str:
    return NO_ROUTE if request.route is None else request.route.path
