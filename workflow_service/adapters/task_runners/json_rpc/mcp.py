"""Performs ``call: mcp``: begins a session, asks one method, ends the session.

Source: Model Context Protocol, "Lifecycle" and "Transports" (2025-06-18). What a server asks of its client meanwhile is
answered: a ping well, anything else with an error, since a workflow offers nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Final, Protocol

from workflow_service.adapters.task_runners.json_rpc.messages import Message, result_of
from workflow_service.adapters.task_runners.outcomes import outcome_of
from workflow_service.domain.definition.local_processes import disabled
from workflow_service.domain.execution.effects import (
    Effect,
    McpCall,
    McpHttp,
    McpStdio,
    Outcome,
)
from workflow_service.domain.execution.problem import (
    ERRORS,
    Problem,
    Raised,
    communication,
    configuration,
)
from workflow_service.domain.expressions import JsonValue

_STATUSES: Final[Mapping[int, int]] = {-32002: 404}
"""Of the codes that MCP adds: no such resource."""


class Session(Protocol):
    """A connection to one MCP server."""

    async def ask(self, method: str, parameters: Mapping[str, JsonValue] | None) -> Message:
        """Return the answer to a request."""
        ...

    async def initialized(self, version: str) -> None:
        """Tell the server that *version* is understood, and spoken from now on."""
        ...


class OverHttp(Protocol):
    """Opens sessions over HTTP."""

    def __call__(
        self, transport: McpHttp, *, key: str, tenant: str, seconds: float
    ) -> AbstractAsyncContextManager[Session]:
        """Return a session for a block, of so many seconds."""
        ...


class OverPipes(Protocol):
    """Opens sessions with commands."""

    def __call__(self, transport: McpStdio) -> AbstractAsyncContextManager[Session]:
        """Return a session for a block."""
        ...


class McpRunner:
    """The ``Runner`` port for calls of MCP servers."""

    def __init__(self, over_http: OverHttp, over_pipes: OverPipes | None, longest: float) -> None:
        """Make it.

        Args:
            over_http: sessions over HTTP.
            over_pipes: sessions with commands; None where commands may not be run.
            longest: seconds that any call may take.
        """
        self._over_http = over_http
        self._over_pipes = over_pipes
        self._longest = longest

    async def perform(self, execution: str, effect: Effect) -> Outcome:
        """Perform *effect* and say how it ended."""
        call = effect.call
        if not isinstance(call, McpCall):
            raise TypeError(f"{type(call).__name__} is not performed here")
        return await outcome_of(self._in_time(effect, call))

    async def _in_time(self, effect: Effect, call: McpCall) -> JsonValue:
        seconds = min(call.timeout or self._longest, self._longest)
        try:
            async with asyncio.timeout(seconds), self._session(effect, call, seconds) as session:
                return await _answer(session, call)
        except TimeoutError:
            told = f"no complete response within {seconds:g} s"
            raise Raised(Problem(ERRORS + "timeout", 408, "Call timed out", told)) from None

    def _session(
        self, effect: Effect, call: McpCall, seconds: float
    ) -> AbstractAsyncContextManager[Session]:
        match call.transport:
            case McpHttp() as transport:
                return self._over_http(
                    transport, key=effect.key, tenant=effect.tenant, seconds=seconds
                )
            case McpStdio() as transport:
                if self._over_pipes is None:
                    raise Raised(configuration(disabled("shell")))
                return self._over_pipes(transport)


async def _answer(session: Session, call: McpCall) -> JsonValue:
    begun = await session.ask(
        "initialize",
        {
            "protocolVersion": call.protocol_version,
            "capabilities": {},
            "clientInfo": {"name": call.client_name, "version": call.client_version},
        },
    )
    server = result_of(begun, _STATUSES)
    version = server.get("protocolVersion") if isinstance(server, dict) else None
    if not isinstance(version, str):
        raise Raised(communication("The server does not say which version of MCP it speaks."))
    await session.initialized(version)
    return result_of(await session.ask(call.method, call.parameters or None), _STATUSES)
