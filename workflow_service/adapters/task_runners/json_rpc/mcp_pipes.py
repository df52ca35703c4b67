"""MCP over the pipes of a command, in the sandbox of all commands (Model Context Protocol, "Transports", stdio)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Final

from workflow_service.adapters.sandbox import Cage, Child, Command, SandboxError, started
from workflow_service.adapters.task_runners.json_rpc.mcp import Session
from workflow_service.adapters.task_runners.json_rpc.messages import (
    Message,
    answers,
    asks,
    notification,
    read,
    reply,
    request,
)
from workflow_service.domain.bounds import beyond
from workflow_service.domain.execution.effects import McpStdio
from workflow_service.domain.execution.problem import (
    Raised,
    communication,
    configuration,
    runtime,
)
from workflow_service.domain.expressions import JsonValue

_BLOCK: Final = 64 * 1024


class PipeSessions:
    """Starts servers, each for one call; the sandbox ends them with it."""

    def __init__(self, cage: Cage, items: int) -> None:
        """Make it.

        Args:
            cage: around every command.
            items: how many messages a server may send.
        """
        self._cage = cage
        self._items = items

    @asynccontextmanager
    async def __call__(self, transport: McpStdio) -> AsyncIterator[Session]:
        """See ``OverPipes``."""
        command = Command((transport.command, *transport.arguments), transport.environment)
        try:
            async with started(self._cage, command) as child:
                told = asyncio.get_running_loop().create_task(_ignored(child))
                try:
                    yield _PipeSession(child, self._items, self._cage.limits.output)
                finally:
                    told.cancel()
        except SandboxError as exc:
            raise Raised(configuration(f"the MCP server cannot be run: {exc}")) from exc


class _PipeSession:
    def __init__(self, child: Child, items: int, most: int) -> None:
        self._child = child
        self._items = items
        self._most = most
        self._asked = 0
        self._received = 0
        self._bytes = 0

    async def ask(self, method: str, parameters: Mapping[str, JsonValue] | None) -> Message:
        self._asked += 1
        await self._send(request(self._asked, method, parameters))
        while True:
            message = read(await self._line())
            if answers(message, self._asked):
                return message
            if asks(message):
                await self._send(reply(message))

    async def initialized(self, version: str) -> None:
        await self._send(notification("notifications/initialized"))

    async def _send(self, body: bytes) -> None:
        try:
            self._child.stdin.write(body + b"\n")
            await self._child.stdin.drain()
        except (BrokenPipeError, ConnectionResetError):
            raise Raised(communication(_ENDED)) from None

    async def _line(self) -> bytes:
        try:
            line = await self._child.stdout.readuntil(b"\n")
        except asyncio.IncompleteReadError:
            raise Raised(communication(_ENDED)) from None
        except asyncio.LimitOverrunError:
            raise Raised(communication("The server's message is too long.")) from None
        self._received += 1
        self._bytes += len(line)
        if self._received > self._items:
            told = f"the server sent more than {self._items} messages"
            raise Raised(runtime(beyond(told, "stream_items")))
        if self._bytes > self._most:
            raise Raised(runtime(f"the server wrote more than {self._most} bytes"))
        return line


_ENDED: Final = "The server ended before it had answered."


async def _ignored(child: Child) -> None:
    """Read what the server logs, so that it never waits for a reader."""
    with suppress(ConnectionError):
        while await child.stderr.read(_BLOCK):
            pass
