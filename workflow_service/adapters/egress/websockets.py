"""WebSockets: a handshake that is a call like all others, and messages after it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

import aiohttp

from workflow_service.adapters.egress import measures
from workflow_service.adapters.egress.breaker import Verdict
from workflow_service.adapters.egress.driver import driver_errors
from workflow_service.adapters.egress.errors import (
    EgressError,
    EgressFailed,
    EgressTimedOut,
    Failure,
)
from workflow_service.adapters.egress.limits import EgressLimits
from workflow_service.adapters.egress.requests import REDIRECTS, EgressRequest, checked
from workflow_service.adapters.egress.turns import Turns
from workflow_service.adapters.egress.urls import target
from workflow_service.adapters.egress.verdicts import outcome_of

_DATA: Final = (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY)
_SCHEMES: Final = {"ws": "http", "wss": "https"}
_CLOSING, _HEARTBEAT = 2.0, 20.0
"""Seconds that a WebSocket has to close, and between two proofs that it is alive."""


class EgressSocket:
    """A WebSocket at a judged address."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, limits: EgressLimits) -> None:
        self._socket = socket
        self._limits = limits

    async def send(self, content: bytes) -> None:
        """Send *content*: as text if it is some, else as bytes.

        Raises:
            EgressFailed: the connection is lost.
            EgressTimedOut: it is not taken in time.
        """
        try:
            async with asyncio.timeout(self._limits.total_timeout), driver_errors():
                if (text := _text(content)) is None:
                    await self._socket.send_bytes(content)
                else:
                    await self._socket.send_str(text)
        except TimeoutError as exc:
            raise EgressTimedOut(self._limits.total_timeout) from exc

    async def receive(self) -> bytes:
        """Wait for a message, however long that takes.

        Raises:
            EgressFailed: the connection is lost, or the message is larger than a response may be.
        """
        async with driver_errors():
            message = await self._socket.receive()
        if message.type not in _DATA:
            raise EgressFailed(Failure.RESET)
        data: str | bytes = message.data
        return data.encode() if isinstance(data, str) else data


class Sockets:
    """Opens WebSockets; an async context manager that shares the connections of the client."""

    def __init__(
        self, connector: aiohttp.BaseConnector, turns: Turns, limits: EgressLimits, user_agent: str
    ) -> None:
        self._turns = turns
        self._limits = limits
        self._session = aiohttp.ClientSession(
            connector=connector,
            connector_owner=False,
            trust_env=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": user_agent},
            middlewares=(_not_redirected,),
        )

    async def close(self) -> None:
        """Open nothing any more."""
        await self._session.close()

    @asynccontextmanager
    async def open(
        self, url: str, headers: Mapping[str, str], timeout: float | None = None
    ) -> AsyncIterator[EgressSocket]:
        """Open a WebSocket at a ``ws`` or ``wss`` *url*, closed at the end of the block.

        Only the handshake takes a turn at the host, and has *timeout* seconds.

        Raises:
            EgressError: the handshake was not made; as in ``EgressClient.request``.
        """
        try:
            socket = await self._shaken(url, headers, timeout)
        except EgressError as exc:
            measures.ended(outcome_of(exc))
            raise
        measures.ended("answered")
        async with socket:
            yield EgressSocket(socket, self._limits)

    async def _shaken(
        self, url: str, headers: Mapping[str, str], timeout: float | None
    ) -> aiohttp.ClientWebSocketResponse:
        scheme, colon, rest = url.partition(":")
        request = checked(EgressRequest("GET", url, headers))
        place = target(_SCHEMES.get(scheme.lower(), scheme) + colon + rest)
        left = self._turns.allowance(timeout)
        async with self._turns.at(place, left) as visit, left.running(), driver_errors():
            socket: aiohttp.ClientWebSocketResponse = await self._session.ws_connect(
                place.url,
                headers=request.headers,
                max_msg_size=self._limits.max_response_bytes,
                timeout=aiohttp.ClientWSTimeout(ws_close=_CLOSING),
                heartbeat=_HEARTBEAT,
            )
            visit.verdict = Verdict.GOOD
        return socket


async def _not_redirected(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """A handshake is not sent elsewhere: there is no public switch for that."""
    response = await handler(request)
    if response.status in REDIRECTS:
        response.close()
        raise EgressFailed(Failure.REDIRECTS)
    return response


def _text(content: bytes) -> str | None:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None
