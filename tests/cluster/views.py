"""What one caller sees of Consul: every instance at an address of its own, so that one pair alone can be cut off from each other.

A process listens at a port of 127.0.0.1, its registration names 127.0.0.2, and caller number 7 is told 127.0.1.7: at each of these
addresses, with the same port, stands a proxy that leads there.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import msgspec
from aiohttp import ClientError, ClientSession, ClientTimeout, web

ADVERTISED: Final = "127.0.0.2"
"""Where the registry says that everybody is."""
_HEALTH: Final = "/v1/health/service/"
_KEPT: Final = ("X-Consul-Index", "Content-Type")


def seen_from(caller: int) -> str:
    """Where everybody is for this one."""
    return f"127.0.1.{caller}"


@asynccontextmanager
async def view(registry: str, caller: int) -> AsyncIterator[str]:
    """The Consul at *registry* (`consul://…`) as this caller sees it, until the block is left; where that is."""
    there = registry.replace("consul:", "http:", 1)
    async with ClientSession(timeout=ClientTimeout(total=None)) as session:

        async def pass_on(request: web.BaseRequest) -> web.StreamResponse:
            try:
                return await _answer(session, there, caller, request)
            except (ClientError, OSError):
                # As if nobody listened there: an answer would be one of Consul's.
                if request.transport is not None:
                    request.transport.abort()
                return web.Response(status=502)

        server = web.Server(pass_on, handler_cancellation=True, access_log=None)
        runner = web.ServerRunner(server, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        try:
            port = runner.addresses[0][1]
            yield f"consul://127.0.0.1:{port}"
        finally:
            await runner.cleanup()


async def _answer(
    session: ClientSession, there: str, caller: int, request: web.BaseRequest
) -> web.Response:
    body = await request.read()
    async with session.request(request.method, there + request.path_qs, data=body) as answer:
        said = await answer.read()
        headers = {name: answer.headers[name] for name in _KEPT if name in answer.headers}
        if answer.ok and request.path.startswith(_HEALTH):
            said = _moved(said, seen_from(caller))
        return web.Response(status=answer.status, body=said, headers=headers)


def _moved(entries: bytes, place: str) -> bytes:
    """The same *entries*, with everybody at *place*."""
    decoded: list[dict[str, Any]] = msgspec.json.decode(entries)
    for entry in decoded:
        if entry["Service"]["Address"] == ADVERTISED:
            entry["Service"]["Address"] = place
    return msgspec.json.encode(decoded)
