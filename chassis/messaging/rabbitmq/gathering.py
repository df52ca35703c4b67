"""A connection that sends what comes within a millisecond at once.

The driver writes each frame by itself, and a system call for each message and each acknowledgement
was most of what carrying one cost.
"""

import asyncio
from typing import Any, Final, cast

from aiormq.connection import TCPTransportFactory, TLSTransportFactory, TransportFactory
from yarl import URL

LINGER: Final = 0.001
"""Seconds."""
FULL: Final = 64 * 1024
"""Bytes that are sent without waiting for more."""


class Gathering(TransportFactory):
    """Opens connections whose writes are gathered."""

    async def create(
        self, url: URL, **options: Any
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect to *url*, with TLS when it says so."""
        tls = url.scheme == "amqps"
        plain = TLSTransportFactory() if tls else TCPTransportFactory()
        reader, writer = await plain.create(url, **options)
        return reader, cast(asyncio.StreamWriter, GatheringWriter(writer))


class GatheringWriter:
    """As much of a `StreamWriter` as the driver uses, in front of one."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._pieces: list[bytes] = []
        self._size = 0
        self._later: asyncio.TimerHandle | None = None

    @property
    def transport(self) -> asyncio.WriteTransport:
        """What lies below."""
        return self._writer.transport

    def write(self, data: bytes) -> None:
        """Send *data* soon."""
        self._pieces.append(data)
        self._size += len(data)
        if self._size >= FULL:
            self._flush()
        elif self._later is None:
            self._later = asyncio.get_running_loop().call_later(LINGER, self._flush)

    async def drain(self) -> None:
        """Wait while more was sent than goes out."""
        await self._writer.drain()

    def can_write_eof(self) -> bool:
        """See `StreamWriter`."""
        return self._writer.can_write_eof()

    def write_eof(self) -> None:
        """See `StreamWriter`."""
        self._flush()
        self._writer.write_eof()

    def is_closing(self) -> bool:
        """See `StreamWriter`."""
        return self._writer.is_closing()

    def close(self) -> None:
        """See `StreamWriter`."""
        self._flush()
        self._writer.close()

    async def wait_closed(self) -> None:
        """See `StreamWriter`."""
        await self._writer.wait_closed()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """See `StreamWriter`."""
        return self._writer.get_extra_info(name, default)

    def _flush(self) -> None:
        if self._later is not None:
            self._later.cancel()
            self._later = None
        if self._pieces and not self._writer.is_closing():
            self._writer.write(b"".join(self._pieces))
        self._pieces.clear()
        self._size = 0
