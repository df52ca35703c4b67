"""Response bodies, unpacked here, piece by piece, so that no bomb can go off in between."""

import zlib
from collections.abc import AsyncIterator

from workflow_service.adapters.egress.errors import EgressFailed, Failure, ResponseTooLarge

_STEP = 64 * 1024
ENCODINGS = "gzip, deflate"
"""What we ask for, and can unpack."""


class _Unpacker:
    """One compressed stream after another, at most *limit* bytes in all."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._head = b""
        self._window = 0
        self._stream: zlib._Decompress | None = None
        self.content = bytearray()

    def feed(self, data: bytes) -> None:
        while data or self._stream is not None:
            if self._stream is None:
                self._head += data
                if len(self._head) < 2:
                    return
                self._window = self._window or _window(self._head)
                self._stream = zlib.decompressobj(wbits=self._window)
                data, self._head = self._head, b""
            data, idle = self._step(self._stream, data)
            if idle:
                return

    def finish(self) -> bytes:
        if self._stream is not None or self._head:
            raise EgressFailed(Failure.RESET)
        return bytes(self.content)

    def _step(self, stream: "zlib._Decompress", data: bytes) -> tuple[bytes, bool]:
        """Unpack a little of *data*; what is left of it, and whether to wait for more."""
        try:
            piece = stream.decompress(data, _STEP)
        except zlib.error:
            raise EgressFailed(Failure.PROTOCOL) from None
        self.content += piece
        if len(self.content) > self._limit:
            raise ResponseTooLarge(self._limit)
        if stream.eof:
            self._stream = None
            return stream.unused_data, not stream.unused_data
        return stream.unconsumed_tail, not stream.unconsumed_tail and len(piece) < _STEP


def _window(head: bytes) -> int:
    """Which of the three formats begins with *head*, as zlib's `wbits`.

    "deflate" means the zlib format, but some servers send the bare stream (RFC 9110, 8.4.1.2).
    """
    if head.startswith(b"\x1f\x8b"):
        return 16 + zlib.MAX_WBITS
    if head[0] & 0x0F == 8 and int.from_bytes(head[:2], "big") % 31 == 0:
        return zlib.MAX_WBITS
    return -zlib.MAX_WBITS


async def read_body(pieces: AsyncIterator[bytes], encoding: str, limit: int) -> bytes:
    """The whole body, unpacked.

    Raises:
        ResponseTooLarge: more than *limit* bytes, packed or unpacked.
        EgressFailed: it is not packed the way *encoding* says, or in a way we do not know.
    """
    match encoding.strip().lower():
        case "" | "identity":
            content = bytearray()
            async for piece in pieces:
                content += piece
                if len(content) > limit:
                    raise ResponseTooLarge(limit)
            return bytes(content)
        case "gzip" | "x-gzip" | "deflate":
            unpacker = _Unpacker(limit)
            received = 0
            async for piece in pieces:
                received += len(piece)
                if received > limit:
                    raise ResponseTooLarge(limit)
                unpacker.feed(piece)
            return unpacker.finish()
        case _:
            raise EgressFailed(Failure.PROTOCOL)
