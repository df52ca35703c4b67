"""MCP over streamable HTTP (Model Context Protocol, "Transports")."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Final

from workflow_service.adapters.egress import EgressError
from workflow_service.adapters.task_runners.json_rpc.exchange import Exchange, Post
from workflow_service.adapters.task_runners.json_rpc.mcp import Session
from workflow_service.adapters.task_runners.json_rpc.messages import (
    Message,
    answers,
    asks,
    notification,
    reply,
    request,
)
from workflow_service.application.credential_ports import CredentialsRefused
from workflow_service.domain.execution.effects import McpHttp
from workflow_service.domain.execution.problem import Raised, communication
from workflow_service.domain.expressions import JsonValue

_SESSION: Final = "Mcp-Session-Id"
_VERSION: Final = "MCP-Protocol-Version"
_VISIBLE: Final = re.compile(r"[\x21-\x7e]{1,1024}")


class HttpSessions:
    """Opens sessions over HTTP."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    @asynccontextmanager
    async def __call__(
        self, transport: McpHttp, *, key: str, tenant: str, seconds: float
    ) -> AsyncIterator[Session]:
        """See ``OverHttp``; at the end the server is told to forget the session."""
        session = _HttpSession(self._exchange, transport, key, tenant, seconds)
        try:
            yield session
        finally:
            await session.close()


class _HttpSession:
    def __init__(
        self, exchange: Exchange, transport: McpHttp, key: str, tenant: str, seconds: float
    ) -> None:
        self._exchange = exchange
        self._place = transport.endpoint
        self._headers = {"Idempotency-Key": key} | dict(transport.headers)
        self._tenant = tenant
        self._seconds = seconds
        self._asked = 0

    async def ask(self, method: str, parameters: Mapping[str, JsonValue] | None) -> Message:
        self._asked += 1
        number = self._asked
        post = self._post(request(number, method, parameters))
        async with self._exchange.post(post, tenant=self._tenant) as answered:
            self._keep(answered.headers.get(_SESSION))
            async for message in answered.messages:
                if answers(message, number):
                    return message
                if asks(message):
                    await self._send(reply(message))
        raise Raised(communication("The server ended its answer before it was complete."))

    async def initialized(self, version: str) -> None:
        self._headers[_VERSION] = version
        await self._send(notification("notifications/initialized"))

    async def close(self) -> None:
        if _SESSION not in self._headers:
            return
        with suppress(EgressError, CredentialsRefused):  # it forgets it by itself one day
            await self._exchange.close(self._place, self._headers, tenant=self._tenant)

    async def _send(self, body: bytes) -> None:
        async with self._exchange.post(self._post(body), tenant=self._tenant) as answered:
            async for _ in answered.messages:
                break

    def _post(self, body: bytes) -> Post:
        return Post(self._place, body, self._headers, self._seconds)

    def _keep(self, session: str | None) -> None:
        if session is not None and _VISIBLE.fullmatch(session):
            self._headers[_SESSION] = session
