"""Responses that are read piece by piece, and the events in them."""

import re
from collections.abc import AsyncIterator
from typing import Final

from aiohttp import StreamReader
from multidict import CIMultiDictProxy

from workflow_service.adapters.egress.driver import driver_errors
from workflow_service.adapters.egress.errors import EgressFailed, Failure, ResponseTooLarge
from workflow_service.adapters.egress.limits import EgressLimits

_LINE_END: Final = re.compile(rb"\r\n|\n|\r")


class EgressStream:
    """A response that has begun; its body may be read once, in pieces or as a whole."""

    def __init__(
        self,
        status: int,
        headers: CIMultiDictProxy[str],
        content: StreamReader,
        limits: EgressLimits,
    ) -> None:
        self.status = status
        self.headers = headers
        self._content = content
        self._limit = limits.max_response_bytes

    @property
    def media_type(self) -> str:
        """Without parameters, in lower case; empty when none is declared."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body as it comes.

        Raises:
            ResponseTooLarge: it is larger than a response may be.
            EgressFailed: it broke off, or is packed though nobody asked for that.
        """
        if self.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
            raise EgressFailed(Failure.PROTOCOL)
        received = 0
        async with driver_errors():
            async for piece in self._content.iter_any():
                received += len(piece)
                if received > self._limit:
                    raise ResponseTooLarge(self._limit)
                yield piece

    async def read(self) -> bytes:
        """The whole body; raises as ``pieces`` does."""
        return b"".join([piece async for piece in self.pieces()])

    async def events(self) -> AsyncIterator[bytes]:
        """The data of each server-sent event (WHATWG HTML, 9.2), comments and other fields left out."""
        data: list[bytes] = []
        async for line in _lines(self.pieces()):
            if not line:
                if data:
                    yield b"\n".join(data)
                data = []
            else:
                name, _, value = line.partition(b":")
                if name == b"data":
                    data.append(value.removeprefix(b" "))


async def _lines(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Lines without their ends; an unfinished last one is dropped, as the standard has it."""
    held: list[bytes] = []
    after_return = False
    async for piece in pieces:
        fresh = piece[1:] if after_return and piece.startswith(b"\n") else piece
        after_return = fresh.endswith(b"\r")
        *ends, begun = _LINE_END.split(fresh)
        for end in ends:
            yield b"".join([*held, end])
            held.clear()
        held.append(begun)
