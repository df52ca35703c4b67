"""A proxy between a client and a server that a test can cut, delay and stop.

async with TcpProxy("127.0.0.1", 5672) as proxy:
    … proxy.port …
    proxy.cut()
"""

import asyncio
from collections.abc import Callable
from typing import Self

from tests.support.ports import free_port

_CHUNK = 65_536

Through = Callable[[bytes], bytes]


class TcpProxy:
    """Passes bytes on, in both directions, unless it is told otherwise.

    Args:
        host: of the server.
        port: of the server.
        at: where to listen, as host and port; None: at a free port of 127.0.0.1.
    """

    def __init__(self, host: str, port: int, *, at: tuple[str, int] | None = None) -> None:
        self._server_at = (host, port)
        self._host, self.port = at or ("127.0.0.1", free_port())
        self.delay = 0.0
        """Seconds by which every piece is late."""
        self.refusing = False
        """Whether new connections are closed at once."""
        self.connections = 0
        """How many were made."""
        self.carried = 0
        """Bytes that have gone to the server."""
        self.to_server: Through = bytes
        """What becomes of each piece on its way to the server; it may raise ConnectionError to cut there."""
        self.to_client: Through = bytes
        self._rising, self._falling = asyncio.Event(), asyncio.Event()
        self.thaw()
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._listener: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._listener = await asyncio.start_server(self._serve, self._host, self.port)
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._listener is not None:
            self._listener.close()
        self.cut()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        """End every connection at once, as a crash would."""
        for writer in list(self._writers):
            writer.transport.abort()

    def freeze(self, *, up: bool = True, down: bool = True) -> None:
        """Let nothing through to the server (*up*) or to the client (*down*), and close nothing: as a lost network would."""
        for direction, stopped in ((self._rising, up), (self._falling, down)):
            if stopped:
                direction.clear()

    def thaw(self) -> None:
        """Let through what waited, and all that follows."""
        self._rising.set()
        self._falling.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        if self.refusing:
            writer.transport.abort()
            return
        try:
            there_reader, there_writer = await asyncio.open_connection(*self._server_at)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, there_writer}
        up = self._pump(reader, there_writer, self._up, self._rising)
        down = self._pump(there_reader, writer, lambda piece: self.to_client(piece), self._falling)
        both = [asyncio.ensure_future(up), asyncio.ensure_future(down)]
        self._tasks |= set(both)
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        for end in (writer, there_writer):
            end.transport.abort()
            self._writers.discard(end)
        await asyncio.gather(*both, return_exceptions=True)
        self._tasks -= set(both)

    def _up(self, piece: bytes) -> bytes:
        sent = self.to_server(piece)
        self.carried += len(sent)
        return sent

    async def _pump(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        through: Through,
        flowing: asyncio.Event,
    ) -> None:
        try:
            while piece := await reader.read(_CHUNK):
                if self.delay:
                    await asyncio.sleep(self.delay)
                await flowing.wait()
                writer.write(through(piece))
                await writer.drain()
        except (ConnectionError, OSError):
            return
