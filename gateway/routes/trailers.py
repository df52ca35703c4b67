"""Whether a chunked body ended plainly, or with trailers behind its last chunk.

aiohttp's parser keeps the last trailer of a request and reads it as the first field of the next one
on the connection: who sends a trailer could write a header into a stranger's request, behind a
proxy that shares its connections.
"""

import re
from typing import Final

from aiohttp import StreamReader

_LAST_CHUNK: Final = re.compile(rb"\r\n0+[ \t]*(?:;[^\r\n]*)?\r\n\r\n\Z")
# Enough for a last chunk with a word or two of extension; who sends more is refused.
_KEPT: Final = 512


class ChunkedBody:
    """A chunked body on its way: *payload* as parsed, and the end of what came on the wire."""

    def __init__(self, payload: StreamReader) -> None:
        self.payload = payload
        self._end = b""

    def received(self, data: bytes) -> None:
        """These bytes came."""
        self._end = (self._end + data)[-_KEPT:]

    def ended_plainly(self) -> bool:
        """Whether nothing but the last chunk is at its end, and nothing behind it."""
        return _LAST_CHUNK.search(self._end) is not None
