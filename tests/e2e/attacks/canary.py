"""A listener that nobody has any business with: it counts who comes."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

REPLY = "tweet-tweet-this-must-never-be-seen"


@dataclass(slots=True)
class Canary:
    """Counts connections, and answers every request with *answer*."""

    port: int
    hits: list[str] = field(default_factory=list)
    answer: bytes = (
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/plain\r\n"
        + f"Content-Length: {len(REPLY)}\r\n\r\n{REPLY}".encode()
    )


@asynccontextmanager
async def listening() -> AsyncIterator[Canary]:
    """A canary on every address of this machine, IPv4 and IPv6."""
    with (
        socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
        if socket.has_dualstack_ipv6()
        else socket.create_server(("", 0)) as door
    ):
        canary = Canary(door.getsockname()[1])

        async def visit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            canary.hits.append(str(writer.get_extra_info("peername")))
            await reader.readuntil(b"\r\n\r\n")
            writer.write(canary.answer)
            await writer.drain()
            writer.close()

        async with await asyncio.start_server(visit, sock=door):
            yield canary
