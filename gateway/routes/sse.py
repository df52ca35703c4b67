"""Server-sent events: cheap while nothing happens, bounded when a client is slow.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

from aiohttp import web

from chassis.errors import ServiceError
from chassis.lifecycle import Supervisor
from chassis.rpc.context import Principal
from chassis.telemetry import tracing
from chassis.telemetry.logging import get_logger
from chassis.telemetry.metrics import gauge
from gateway.ports import Revocation
from gateway.routes.problems import ServerBusy, one_problem
from gateway.routes.route import Incoming

MEDIA_TYPE: Final = "text/event-stream"
HEARTBEAT: Final = 15.0
RETRY_MS: Final = 2000
# What is read ahead of a slow client: then the stream behind waits, and so does its sender.
READ_AHEAD: Final = 8
MAX_EVENT_ID: Final = 2**53

_log = get_logger("gateway.sse")
_open = gauge("gateway_open", "What clients hold open", ("what",)).child("streams")


def event(identity: int, kind: str, data: bytes) -> bytes:
    """One event on the wire; *data* is JSON, so its line breaks mean nothing."""
    if b"\n" in data or b"\r" in data:
        data = data.replace(b"\r", b" ").replace(b"\n", b" ")
    name = kind.replace("\r", " ").replace("\n", " ")
    return b"id: %d\nevent: %b\ndata: %b\n\n" % (identity, name.encode(), data)


def last_event_id(request: Incoming) -> int | None:
    """After which event the client wants to go on: a header, or a parameter of the same meaning.

    Raises:
        Invalid: it is not one of our ids.
    """
    name = "Last-Event-ID"
    text = request.headers.get(name, "").strip()
    if not text:
        query = request.query()
        name, text = "last_event_id", query.text("last_event_id").strip()
        query.check()
    if not text:
        return None
    if not (text.isascii() and text.isdigit()) or len(text) > 16 or int(text) > MAX_EVENT_ID:
        raise one_problem(name, "must be the id of an event")
    return int(text)


class Streams:
    """All open event streams of the gateway.

    Args:
        supervisor: owns the readers.
        heartbeat: seconds of silence after which a comment is sent.
        most: how many may be open at the same time.
    """

    def __init__(
        self, supervisor: Supervisor, *, heartbeat: float = HEARTBEAT, most: int = 10_000
    ) -> None:
        self._supervisor = supervisor
        self._heartbeat = heartbeat
        self._most = most
        self._queues: dict[asyncio.Queue[bytes | None], Principal] = {}
        self._draining = False

    def __len__(self) -> int:
        return len(self._queues)

    def drain(self) -> None:
        """Let every stream end cleanly; clients come back and find another replica."""
        self._draining = True
        for queue in self._queues:
            _end(queue)

    def revoke(self, revocation: Revocation) -> None:
        """End the streams that it concerns: who has no token any more hears no more.

        Whoever may still listen comes back, and is looked at anew.
        """
        for queue, owner in self._queues.items():
            if revocation.concerns(owner):
                _end(queue)

    async def send(
        self, request: Incoming, chunks: AsyncGenerator[bytes, None]
    ) -> web.StreamResponse:
        """Answer *request* with *chunks* of whole events until they end.

        Raises:
            ServerBusy: too many streams are open, or the gateway is stopping.
        """
        if self._draining or len(self._queues) >= self._most:
            raise ServerBusy("No more event streams can be opened just now", retry_after=5)
        response = web.StreamResponse(headers=request.answer_headers)
        response.content_type = MEDIA_TYPE
        response.headers["X-Accel-Buffering"] = "no"
        queue: asyncio.Queue[bytes | None] = asyncio.Queue(READ_AHEAD)
        self._queues[queue] = request.caller.principal
        _open.set(len(self._queues))
        reader = self._supervisor.spawn("event stream", self._read(request, chunks, queue))
        try:
            await response.prepare(request.http)
            await response.write(b"retry: %d\n\n" % RETRY_MS)
            await self._copy(queue, response)
            await response.write_eof()
        finally:
            reader.cancel()
            self._queues.pop(queue, None)
            _open.set(len(self._queues))
        return response

    async def _copy(self, queue: asyncio.Queue[bytes | None], response: web.StreamResponse) -> None:
        while True:
            try:
                async with asyncio.timeout(self._heartbeat):
                    chunk = await queue.get()
            except TimeoutError:
                chunk = b":\n\n"
            if chunk is None:
                return
            await response.write(chunk)

    async def _read(
        self,
        request: Incoming,
        chunks: AsyncGenerator[bytes, None],
        queue: asyncio.Queue[bytes | None],
    ) -> None:
        tracing.adopt(request.request_id, request.traceparent)
        try:
            async with aclosing(chunks) as source:
                async for chunk in source:
                    await queue.put(chunk)
        except ServiceError as exc:
            # The headers are long gone. The client comes back with its last event's id.
            _log.info("stream_broken", kind=exc.kind.value, reason=exc.message)
            await queue.put(b": interrupted, please come back\n\n")
        await queue.put(None)


def _end(queue: asyncio.Queue[bytes | None]) -> None:
    while queue.full():
        queue.get_nowait()
    queue.put_nowait(None)
