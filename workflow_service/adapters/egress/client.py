"""The one way out: every HTTP call of the suite to somebody else's address.

What SECURITY asks of it: URLs read once; only http and https, no user names; every address of a
name judged, and only judged addresses connected to; redirects followed by hand, each hop
judged again, without credentials across origins; no proxy variables; bounded time and size.

aiohttp repeats an idempotent request (GET, HEAD, OPTIONS, PUT, DELETE) once when a reused connection
turns out to be closed, and cannot be told not to: a server may see such a request twice. That is
why every call carries an `Idempotency-Key`.
"""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Self

import aiohttp
from multidict import CIMultiDict, CIMultiDictProxy

from workflow_service.adapters.egress.addresses import AddressPolicy
from workflow_service.adapters.egress.bodies import ENCODINGS, read_body
from workflow_service.adapters.egress.connecting import (
    ConnectRefused,
    GuardedResolver,
    Lookup,
    SystemLookup,
)
from workflow_service.adapters.egress.errors import (
    EgressFailed,
    EgressRefused,
    EgressTimedOut,
    Failure,
    RequestInvalid,
)
from workflow_service.adapters.egress.hosts import HostGates
from workflow_service.adapters.egress.urls import Target, target

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\U0010ffff]*")
_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY"))
_OURS = frozenset((
    "host", "content-length", "transfer-encoding", "connection", "keep-alive", "upgrade", "te",
    "trailer", "proxy-connection", "proxy-authorization", "proxy-authenticate", "expect",
    "http2-settings", "accept-encoding",
))  # fmt: skip
_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_ABOUT_BODY = frozenset(("content-type", "content-encoding", "content-language"))
_ACROSS_ORIGINS = _ABOUT_BODY | {
    "accept",
    "accept-language",
    "idempotency-key",
    "traceparent",
    "user-agent",
}
"""What may follow a redirect to another origin: any other header may be a credential."""


@dataclass(frozen=True, slots=True)
class EgressLimits:
    """Bounds of one call. Times are seconds, sizes bytes."""

    total_timeout: float = 30.0
    connect_timeout: float = 5.0
    max_response_bytes: int = 1024 * 1024
    max_redirects: int = 3
    per_host_concurrency: int = 32
    connections: int = 200


@dataclass(frozen=True, slots=True)
class EgressRequest:
    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    follow_redirects: bool = False
    timeout: float | None = None
    """Seconds for everything, redirects included; never more than the client's own limit."""


@dataclass(frozen=True, slots=True)
class EgressResponse:
    status: int
    headers: CIMultiDictProxy[str]
    body: bytes
    """Unpacked, if it came packed."""
    url: str
    """Where it came from, after redirects."""


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
        self._gates = HostGates(self._limits.per_host_concurrency)
        self._tls = tls
        self._user_agent = user_agent
        self._session: aiohttp.ClientSession | None = None

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
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None
        await self._resolver.close()

    async def request(self, request: EgressRequest) -> EgressResponse:
        """Send *request* and read the whole response, whatever its status.

        Raises:
            RequestInvalid: it cannot be sent as it is.
            EgressRefused: the target, or where it redirects to, may not be called.
            EgressFailed: the target could not be reached, or spoke nonsense.
            EgressTimedOut: not finished in time.
            ResponseTooLarge: more than the limit.
        """
        current, place = _checked(request), target(request.url)
        seconds = min(request.timeout or self._limits.total_timeout, self._limits.total_timeout)
        try:
            async with asyncio.timeout(seconds):
                for _ in range(self._limits.max_redirects + 1):
                    response = await self._send(current, place)
                    location = response.headers.get("Location")
                    redirected = response.status in _REDIRECTS and location is not None
                    if not request.follow_redirects or not redirected or location is None:
                        return response
                    current, place = _redirected(current, place, response.status, location)
        except TimeoutError as exc:
            raise EgressTimedOut(seconds) from exc
        raise EgressFailed(Failure.REDIRECTS)

    async def _send(self, request: EgressRequest, place: Target) -> EgressResponse:
        if self._session is None:
            raise RuntimeError("the egress client is not open")
        self._resolver.admit(place.host, place.port)
        headers = CIMultiDict(request.headers)
        headers.setdefault("User-Agent", self._user_agent)
        headers["Accept-Encoding"] = ENCODINGS
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=self._limits.connect_timeout)
        async with (
            self._gates.passing(place.origin),
            _driver_errors(),
            self._session.request(
                request.method,
                place.url,
                headers=headers,
                data=request.body,
                allow_redirects=False,
                timeout=timeout,
            ) as response,
        ):
            self._check_peer(response)
            return await self._received(request, response)

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
        body = await read_body(_pieces(response), encoding, self._limits.max_response_bytes)
        return EgressResponse(response.status, response.headers, body, str(response.url))


async def _pieces(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    async for piece in response.content.iter_any():
        yield piece


@asynccontextmanager
async def _driver_errors() -> AsyncIterator[None]:
    """Aiohttp's errors stop here."""
    try:
        yield
    except (aiohttp.ClientConnectorDNSError, aiohttp.ClientSSLError) as exc:
        dns = isinstance(exc, aiohttp.ClientConnectorDNSError)
        raise EgressFailed(Failure.DNS if dns else Failure.TLS) from exc
    except aiohttp.ServerTimeoutError:
        raise
    except aiohttp.ClientConnectorError as exc:
        if isinstance(exc.os_error, ConnectRefused):
            raise EgressRefused from exc
        raise EgressFailed(Failure.CONNECT) from exc
    except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError, ConnectionError) as exc:
        raise EgressFailed(Failure.RESET) from exc
    except aiohttp.ClientPayloadError as exc:
        raise EgressFailed(Failure.RESET) from exc
    except (aiohttp.ClientError, ValueError) as exc:
        raise EgressFailed(Failure.PROTOCOL) from exc


def _checked(request: EgressRequest) -> EgressRequest:
    """The request, if it says nothing that could be read as more than one request."""
    method = request.method.upper()
    if method not in _METHODS:
        raise RequestInvalid("the HTTP method is not supported")
    for name, value in request.headers.items():
        if not _TOKEN.fullmatch(name) or not _VALUE.fullmatch(value):
            raise RequestInvalid("a header name or value has characters that are not allowed")
        if name.lower() in _OURS:
            raise RequestInvalid(f"the header '{name}' may not be set")
    return replace(request, method=method)


def _redirected(
    request: EgressRequest, place: Target, status: int, location: str
) -> tuple[EgressRequest, Target]:
    """The next request after a redirect (RFC 9110, 15.4), without credentials for strangers."""
    try:
        following = target(location, place)
    except RequestInvalid as exc:
        raise EgressFailed(Failure.PROTOCOL) from exc
    headers = dict(request.headers)
    if following.origin != place.origin:
        headers = {k: v for k, v in headers.items() if k.lower() in _ACROSS_ORIGINS}
    seen_other = status == 303 and request.method not in ("GET", "HEAD")
    if seen_other or (status in (301, 302) and request.method == "POST"):
        headers = {k: v for k, v in headers.items() if k.lower() not in _ABOUT_BODY}
        return replace(request, method="GET", body=None, headers=headers), following
    return replace(request, headers=headers), following
