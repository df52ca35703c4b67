"""An HTTP session that leaves nothing behind."""

import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from tests.support.time import eventually


@asynccontextmanager
async def http_session(
    url: str, *, headers: Mapping[str, str] | None = None, skip_auto_headers: Sequence[str] = ()
) -> AsyncIterator[aiohttp.ClientSession]:
    """A session for *url*, which is over when its last socket is closed.

    A server that refuses a large body early leaves the rest of it unsent, and such a connection outlives
    its session for a moment: a loop that ends meanwhile leaves it to the garbage collector.
    """
    sockets: list[socket.socket] = []

    def made(address: Any) -> socket.socket:
        sockets.append(socket.socket(family=address[0], type=address[1], proto=address[2]))
        return sockets[-1]

    async with aiohttp.ClientSession(
        url,
        headers=headers,
        skip_auto_headers=skip_auto_headers,
        connector=aiohttp.TCPConnector(socket_factory=made),
    ) as session:
        yield session
    await eventually(lambda: all(each.fileno() == -1 for each in sockets), within=20)
