"""The one way out: every HTTP call of the suite to somebody else's address.

What SECURITY asks of it: URLs read once; only http and https, no user names; every address of a
name judged, and only judged addresses connected to; redirects followed by hand, each hop
judged again, without credentials across origins; no proxy variables; bounded time and size.

What it does for the hosts is in hosts.py: a gate each, with a circuit breaker. A request whose
connection is lost before an answer begins is sent again, once, if it may be (RFC 9110, 9.2.2, or an
`Idempotency-Key`) and the host's budget allows it.
"""

import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self

import aiohttp
from multidict import CIMultiDict

from chassis.telemetry import tracing
from workflow_service.adapters.egress import measures
from workflow_service.adapters.egress.addresses import AddressPolicy
from workflow_service.adapters.egress.bodies import ENCODINGS, read_body
from workflow_service.adapters.egress.breaker import Verdict
from workflow_service.adapters.egress.connecting import (
    GuardedResolver,
    Lookup,
    SystemLookup,
)
from workflow_service.adapters.egress.doors import Doors
from workflow_service.adapters.egress.driver import driver_errors
from workflow_service.adapters.egress.errors import (
    EgressError,
    EgressFailed,
    EgressRefused,
    Failure,
)
from workflow_service.adapters.egress.hosts import HostGates, Visit
from workflow_service.adapters.egress.limits import Allowance, EgressLimits
from workflow_service.adapters.egress.requests import (
    REDIRECTS,
    EgressRequest,
    EgressResponse,
    checked,
    redirected,
    repeatable,
)
from workflow_service.adapters.egress.retry_after import retry_after
from workflow_service.adapters.egress.streams import EgressStream
from workflow_service.adapters.egress.turns import Turns
from workflow_service.adapters.egress.urls import Target, target
from workflow_service.adapters.egress.verdicts import outcome_of
from workflow_service.adapters.egress.websockets import Sockets

_HOST_FAILS = frozenset((502, 503, 504))
"""Answers that count against the host. A 500 is about the request that got it, which may be one
tenant's alone."""


class EgressClient:
    """An async context manager; one for the whole application, closed last."""

    def __init__(
        self,
        *,
        allow: Sequence[str] = (),
        own_addresses: Callable[[], Sequence[str]] = tuple,
        limits: EgressLimits | None = None,
        lookup: Lookup | None = None,
        tls: ssl.SSLContext | None = None,
        user_agent: str = "Autoworker",
    ) -> None:
        """Make a client.

        Args:
            allow: networks (CIDR) and hosts, with or without a port, that may be called though
                they are not on the public Internet.
            own_addresses: `host:port` of the suite's own services; never called, allowed or not.
            limits: bounds of each call.
            lookup: all addresses of a name; the system's resolver by default.
            tls: trust and versions; the system's trust store by default.
            user_agent: sent unless a request brings its own.

        Raises:
            EntryInvalid: an entry of *allow* cannot be read.
        """
        self._limits = limits or EgressLimits()
        self._resolver = GuardedResolver(
            AddressPolicy(allow, own_addresses), lookup or SystemLookup()
        )
        gates = HostGates(self._limits.gate)
        self._turns = Turns(self._resolver, gates, self._limits)
        self.doors = Doors(self._resolver, self._turns)
        """For what is not HTTP: judged, and with gates, all the same."""
        self._tls = tls
        self._user_agent = user_agent
        self._session: aiohttp.ClientSession | None = None
        self._sockets: Sockets | None = None

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(
            resolver=self._resolver,
            socket_factory=self._resolver.socket_for,
            use_dns_cache=False,
            limit=self._limits.connections,
            keepalive_timeout=15.0,
            ssl=self._tls or True,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            auto_decompress=False,
            trust_env=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("Content-Type", "User-Agent", "Accept-Encoding"),
        )
        # It would repeat requests behind the back of the budget, and has no public switch.
        self._session._retry_connection = False  # noqa: SLF001
        self._sockets = Sockets(connector, self._turns, self._limits, self._user_agent)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._sockets is not None:
            await self._sockets.close()
        if self._session is not None:
            await self._session.close()
            self._session = None
        await self._resolver.close()

    @property
    def sockets(self) -> Sockets:
        """For WebSockets."""
        if self._sockets is None:
            raise RuntimeError("the egress client is not open")
        return self._sockets

    @property
    def _opened_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError("the egress client is not open")
        return self._session

    async def request(self, request: EgressRequest) -> EgressResponse:
        """Send *request* and read the whole response, whatever its status.

        Raises:
            RequestInvalid: it cannot be sent as it is.
            EgressRefused: the target, or where it redirects to, may not be called.
            EgressFailed: the target could not be reached, or spoke nonsense.
            EgressTimedOut: not finished in time.
            HostUnavailable: the host is to be left alone, or too many calls wait for it.
            ResponseTooLarge: more than the limit.
        """
        try:
            response = await self._followed(request)
        except EgressError as exc:
            measures.ended(outcome_of(exc))
            raise
        measures.ended(f"status_{response.status // 100}xx")
        return response

    @asynccontextmanager
    async def stream(self, request: EgressRequest) -> AsyncIterator[EgressStream]:
        """Send *request* and read the response piece by piece; redirects are not followed.

        The time of the request, and the host's place, are those of the whole block.

        Raises:
            EgressError: as in ``request``.
        """
        try:
            async with self._streaming(request) as response:
                yield response
        except EgressError as exc:
            measures.ended(outcome_of(exc))
            raise
        measures.ended(f"status_{response.status // 100}xx")

    @asynccontextmanager
    async def _streaming(self, request: EgressRequest) -> AsyncIterator[EgressStream]:
        sent, place = checked(request), target(request.url)
        left = self._turns.allowance(request.timeout)
        async with (
            self._turns.at(place, left) as visit,
            left.running(),
            await self._answered(sent, place, visit, "identity") as response,
        ):
            self._check_peer(response)
            _conclude(visit, response.status, retry_after(response.status, response.headers))
            yield EgressStream(response.status, response.headers, response.content, self._limits)

    async def _followed(self, request: EgressRequest) -> EgressResponse:
        current, place = checked(request), target(request.url)
        left = self._turns.allowance(request.timeout)
        for _ in range(self._limits.max_redirects + 1):
            response = await self._send(current, place, left)
            location = response.headers.get("Location")
            if not request.follow_redirects or response.status not in REDIRECTS or location is None:
                return response
            current, place = redirected(current, place, response.status, location)
        raise EgressFailed(Failure.REDIRECTS)

    async def _send(self, request: EgressRequest, place: Target, left: Allowance) -> EgressResponse:
        async with self._turns.at(place, left) as visit:
            async with left.running():
                response = await self._exchanged(request, place, visit)
            _conclude(visit, response.status, response.retry_after)
            return response

    async def _exchanged(
        self, request: EgressRequest, place: Target, visit: Visit
    ) -> EgressResponse:
        async with driver_errors(), await self._answered(request, place, visit) as response:
            self._check_peer(response)
            return await self._received(request, response)

    async def _answered(
        self, request: EgressRequest, place: Target, visit: Visit, encodings: str = ENCODINGS
    ) -> aiohttp.ClientResponse:
        """The beginning of the answer, asked for a second time if the first was lost on the way."""
        try:
            return await self._asked(request, place, encodings)
        except EgressFailed as exc:
            lost = exc.failure in (Failure.CONNECT, Failure.RESET)
            if not lost or not repeatable(request) or not visit.may_repeat():
                raise
            measures.repeated(exc.failure.name.lower())
        return await self._asked(request, place, encodings)

    async def _asked(
        self, request: EgressRequest, place: Target, encodings: str
    ) -> aiohttp.ClientResponse:
        headers = CIMultiDict(request.headers)
        headers.setdefault("User-Agent", self._user_agent)
        if trace := tracing.recorded_traceparent():
            headers.setdefault("traceparent", trace)
        headers["Accept-Encoding"] = encodings
        async with driver_errors():
            return await self._opened_session.request(
                request.method,
                place.url,
                headers=headers,
                data=request.body,
                allow_redirects=False,
                ssl=request.tls or True,
                timeout=aiohttp.ClientTimeout(
                    total=None, sock_connect=self._limits.connect_timeout
                ),
            )

    def _check_peer(self, response: aiohttp.ClientResponse) -> None:
        """What answered must be what was judged. (A short answer's connection is back already.)"""
        transport = response.connection.transport if response.connection else None
        if transport is None:
            return
        if not self._resolver.is_admitted(transport.get_extra_info("peername")):
            raise EgressRefused

    async def _received(
        self, request: EgressRequest, response: aiohttp.ClientResponse
    ) -> EgressResponse:
        encoding = response.headers.get("Content-Encoding", "")
        if request.method == "HEAD" or response.status in (204, 304):
            encoding = ""
        limit = request.max_bytes or self._limits.max_response_bytes
        body = await read_body(_pieces(response), encoding, limit)
        return EgressResponse(
            response.status,
            response.headers,
            body,
            str(response.url),
            retry_after(response.status, response.headers),
        )


async def _pieces(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    async for piece in response.content.iter_any():
        yield piece


def _conclude(visit: Visit, status: int, rest: float | None) -> None:
    """An answer says how the host is, and whether it wants to be left alone."""
    visit.verdict = Verdict.BAD if status in _HOST_FAILS else Verdict.GOOD
    if rest is not None:
        visit.rest(rest)
