"""ASGI applications of others, served by uvicorn in the test's own loop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import uvicorn


class Remembering:
    """An application that keeps what was sent to it: headers, and bodies that are JSON."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.requests: list[tuple[dict[str, str], Any]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        pieces = [await receive()]
        while pieces[-1].get("more_body"):
            pieces.append(await receive())
        body = b"".join(piece.get("body", b"") for piece in pieces)
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        headers[":method"] = scope["method"]
        self.requests.append((headers, msgspec.json.decode(body) if body else {}))

        async def again() -> Any:
            return pieces.pop(0) if pieces else await receive()

        await self._app(scope, again, send)


@asynccontextmanager
async def serving_asgi(app: Any) -> AsyncIterator[int]:
    """Serve *app* on a free port of 127.0.0.1, which is what comes; stopped at the end."""
    config = uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            async with asyncio.timeout(40):
                while not server.started:  # noqa: ASYNC110 - uvicorn has no event to wait for
                    await asyncio.sleep(0.005)
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            await task
