"""The least that could do the same work: what the product is measured against, in the same run."""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
from aiohttp import web

ECHO = "/skeleton.Skeleton/Echo"


@asynccontextmanager
async def http(body: bytes) -> AsyncIterator[str]:
    """An aiohttp server that answers everything with *body*."""

    async def handler(_request: web.BaseRequest) -> web.Response:
        return web.Response(body=body, content_type="application/json")

    runner = web.ServerRunner(web.Server(handler))
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def grpc_echo() -> AsyncIterator[str]:
    """A gRPC server that returns the bytes it is sent."""

    async def echo(request: bytes, _context: Any) -> bytes:
        return request

    async with _serving(echo) as address:
        yield address


@asynccontextmanager
async def durable(path: Path, commits: int) -> AsyncIterator[str]:
    """A gRPC server that makes what it is sent durable that many times, one after the other."""
    committer = Committer(path)

    async def handle(request: bytes, _context: Any) -> bytes:
        for _ in range(commits):
            await committer.append(request)
        return request

    async with _serving(handle) as address:
        try:
            yield address
        finally:
            committer.close()


class Committer:
    """One thread that writes all that waits in one transaction, flushed to the disk."""

    def __init__(self, path: Path) -> None:
        self._loop = asyncio.get_running_loop()
        self._queue: queue.SimpleQueue[tuple[bytes, asyncio.Future[None]] | None] = (
            queue.SimpleQueue()
        )
        self._thread = threading.Thread(target=self._work, args=(path,))
        self._thread.start()

    async def append(self, data: bytes) -> None:
        """Return when *data* is on the disk."""
        done: asyncio.Future[None] = self._loop.create_future()
        self._queue.put((data, done))
        await done

    def close(self) -> None:
        """End the thread."""
        self._queue.put(None)
        self._thread.join()

    def _work(self, path: Path) -> None:
        database = sqlite3.connect(path, isolation_level=None)
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
        database.execute("CREATE TABLE events (id INTEGER PRIMARY KEY, data BLOB)")
        while (first := self._queue.get()) is not None:
            waiting = [first]
            while not self._queue.empty() and (more := self._queue.get()) is not None:
                waiting.append(more)
            database.execute("BEGIN IMMEDIATE")
            database.executemany(
                "INSERT INTO events (data) VALUES (?)", ((data,) for data, _ in waiting)
            )
            database.execute("COMMIT")
            self._loop.call_soon_threadsafe(_settle, [done for _, done in waiting])
        database.close()


def _settle(waiting: list["asyncio.Future[None]"]) -> None:
    for done in waiting:
        if not done.done():
            done.set_result(None)


@asynccontextmanager
async def _serving(handle: Any) -> AsyncIterator[str]:
    service, _, method = ECHO.lstrip("/").partition("/")
    server = grpc.aio.server()
    server.add_generic_rpc_handlers(
        (
            grpc.method_handlers_generic_handler(
                service, {method: grpc.unary_unary_rpc_method_handler(handle)}
            ),
        )
    )
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(1.0)
