"""Connections that cannot be held open by being slow, nor confused by being odd.

aiohttp has no deadline for the head or the body of a request, and answers what it cannot parse in
plain text. Here each connection has its deadlines, checked once a second for all of them, and every
answer has the error shape.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from aiohttp import StreamReader, web
from aiohttp.http_exceptions import BadHttpMessage, LineTooLong

from chassis.clock import Clock
from chassis.errors import ServiceError
from chassis.telemetry.metrics import gauge
from gateway.routes.address import Network, limit_key, within
from gateway.routes.problems import (
    HeadersTooLarge,
    RequestRefused,
    RequestTooSlow,
    ServerBusy,
    TargetTooLong,
    internal_error,
)
from gateway.routes.screening import StrictRequest
from gateway.routes.trailers import ChunkedBody

MAX_TARGET = 8000
MAX_FIELD = 16384
MAX_FIELDS = 128
# How much more than its data a chunked body may be: headers of chunks, and what hides in them.
CHUNK_OVERHEAD = 8192
_connections = gauge("gateway_open", "What clients hold open", ("what",)).child("connections")


@dataclass(frozen=True, slots=True)
class Patience:
    """What a client may take: seconds, and bytes a second for the body."""

    head: float = 10.0
    body: float = 60.0
    body_grace: float = 5.0
    body_rate: float = 1024.0
    read: float = 30.0
    idle: float = 75.0


@dataclass(frozen=True, slots=True)
class Capacity:
    """How many connections there may be; trusted proxies count only towards the total."""

    total: int = 10_000
    per_address: int = 5_000
    proxies: Sequence[Network] = ()


class Refuser(Protocol):
    """Makes answers for what never became a request."""

    def refuse(self, http: web.BaseRequest, error: ServiceError) -> web.StreamResponse:
        """The answer for *error*."""
        ...

    def refusal(self, error: ServiceError) -> bytes:
        """A whole answer on the wire, for a connection that has not even sent a head."""
        ...


class StrictConnection(web.RequestHandler):
    """One connection of a client."""

    __slots__ = (
        "_address", "_body", "_body_bytes", "_body_since", "_chunked", "_head_since", "_server",
        "_stuck",
    )  # fmt: skip

    def __init__(self, server: "StrictServer", **kwargs: Any) -> None:
        super().__init__(server, **kwargs)
        self._server = server
        self._head_since: float | None = None
        self._body: StreamReader | None = None
        self._body_since = 0.0
        self._body_bytes = 0
        self._chunked: ChunkedBody | None = None
        self._stuck: float | None = None
        self._address = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client came; refused when there are too many."""
        super().connection_made(transport)
        self._head_since = self._server.now()
        peer = transport.get_extra_info("peername")
        self._address = peer[0] if isinstance(peer, tuple) else ""
        if not self._server.enter(self._address):
            self._refuse(ServerBusy("Too many connections", retry_after=5))

    def connection_lost(self, exc: BaseException | None) -> None:
        """The client left, or was left."""
        self._server.leave(self._address)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes of a head, of a body, or of several requests."""
        known = self._request_count
        super().data_received(data)
        self._watch_chunks(data, self._request_count - known)
        if self._request_count > known:
            self._head_since = None
            self._begin_body(len(data), alone=self._request_count == known + 1)
        elif self._body is not None:
            self._body_bytes += len(data)
            self._watch_body()
        elif self._head_since is None and data:
            self._head_since = self._server.now()

    def pause_writing(self) -> None:
        """The client does not read what it asked for."""
        super().pause_writing()
        self._stuck = self._server.now()

    def resume_writing(self) -> None:
        """It reads again."""
        super().resume_writing()
        self._stuck = None

    def check(self, now: float, patience: Patience) -> None:
        """Give up on a client that is too slow."""
        transport = self.transport
        if transport is None:
            return
        if self._stuck is not None and now - self._stuck > patience.read:
            transport.abort()
        elif self._body is not None and not self._body.is_eof():
            self._check_body(now, patience)
        elif self._head_since is not None and now - self._head_since > patience.head:
            if self._waiter is not None:
                self._refuse(RequestTooSlow("The head of the request did not come in time"))
            self._head_since = None

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The answer to what the parser refused."""
        response = self._server.refuser.refuse(request, _problem(exc))
        response.force_close()
        return response

    def _begin_body(self, received: int, *, alone: bool) -> None:
        if not self._messages:
            return
        message, payload = self._messages[-1]
        chunked = getattr(message, "chunked", False)
        self._body = None
        if payload.is_eof() and not chunked:
            return
        headers = getattr(message, "raw_headers", ())
        size = sum(len(name) + len(value) + 4 for name, value in headers)
        self._body, self._body_since = payload, self._server.now()
        # Of several requests in one piece nobody knows which bytes are whose.
        self._body_bytes = received - size - len(getattr(message, "path", "")) if alone else 0
        self._watch_body()

    def _watch_chunks(self, data: bytes, new: int) -> None:
        """Nothing is served behind a chunked body that did not end plainly; see `trailers`."""
        if new and self._pipelined(new):
            # Nobody can tell trailers of the one from the head of the other.
            self.close()
        if (body := self._chunked) is None:
            return
        body.received(data)
        if body.payload.is_eof():
            self._chunked = None
            if not body.ended_plainly():
                body.payload.set_exception(RequestRefused("Trailers are not read here"))
                self.close()

    def _pipelined(self, new: int) -> bool:
        """Take note of *new* requests; whether one came in one piece with a chunked body."""
        queued = list(self._messages)
        bodies = [self._chunked is not None]
        bodies += [bool(getattr(message, "chunked", False)) for message, _ in queued[-new:]]
        self._chunked = ChunkedBody(queued[-1][1]) if bodies[-1] else None
        return any(bodies[:-1]) or (bodies[-1] and len(queued) > 1)

    def _watch_body(self) -> None:
        body = self._body
        if body is None:
            return
        if self._body_bytes - body.total_bytes > CHUNK_OVERHEAD + 8 * body.total_bytes:
            body.set_exception(RequestRefused("The body has more chunk headers than data"))
            self._body = None
        elif body.is_eof():
            self._body = None

    def _check_body(self, now: float, patience: Patience) -> None:
        took = now - self._body_since
        expected = patience.body_rate * (took - patience.body_grace)
        if took > patience.body or self._body_bytes < expected:
            if self._body is not None:
                self._body.set_exception(RequestTooSlow("The body did not come in time"))
            self._body = None

    def _refuse(self, error: ServiceError) -> None:
        if self.transport is not None:
            self.transport.write(self._server.refuser.refusal(error))
        self.force_close()


class StrictServer(web.Server):
    """Makes connections, counts them, and watches over them."""

    def __init__(
        self,
        handler: Any,
        refuser: Refuser,
        *,
        clock: Clock,
        patience: Patience,
        capacity: Capacity,
        **kwargs: Any,
    ) -> None:
        super().__init__(handler, **kwargs)
        self.request_factory = partial(StrictRequest, loop=self._loop)
        self.refuser = refuser
        self._clock = clock
        self._patience = patience
        self._capacity = capacity
        self._by_address: Counter[str] = Counter()
        self._open = 0

    def __call__(self) -> StrictConnection:
        """A connection that is about to be made."""
        return StrictConnection(
            self,
            loop=self._loop,
            keepalive_timeout=self._patience.idle,
            lingering_time=min(5.0, self._patience.body_grace),
            auto_decompress=False,
            access_log=None,
            max_line_size=MAX_TARGET,
            max_field_size=MAX_FIELD,
            max_headers=MAX_FIELDS,
        )

    def now(self) -> float:
        """Seconds of the monotonic clock."""
        return self._clock.monotonic()

    def enter(self, address: str) -> bool:
        """Count a connection; whether there is room for it."""
        key = limit_key(address)
        self._by_address[key] += 1
        self._open += 1
        _connections.set(self._open)
        if self._open > self._capacity.total:
            return False
        if self._by_address[key] <= self._capacity.per_address:
            return True
        return within(address, self._capacity.proxies)

    def leave(self, address: str) -> None:
        """Stop counting a connection."""
        key = limit_key(address)
        self._by_address[key] -= 1
        if self._by_address[key] <= 0:
            del self._by_address[key]
        self._open -= 1
        _connections.set(self._open)

    async def watch(self, interval: float = 1.0) -> None:
        """Check every connection regularly, for ever."""
        while True:
            await asyncio.sleep(interval)
            now = self.now()
            for connection in self.connections:
                if isinstance(connection, StrictConnection):
                    connection.check(now, self._patience)


def _problem(exc: BaseException | None) -> ServiceError:
    match exc:
        case LineTooLong() if exc.args[1] == MAX_TARGET:
            return TargetTooLong(f"The request target may have at most {MAX_TARGET} bytes")
        case LineTooLong():
            return HeadersTooLarge(f"A header field may have at most {MAX_FIELD} bytes")
        case BadHttpMessage() if "Too many headers" in exc.message:
            return HeadersTooLarge(f"At most {MAX_FIELDS} header fields are read")
        case BadHttpMessage():
            return RequestRefused("This is not a valid HTTP request")
        case _:
            return internal_error()
