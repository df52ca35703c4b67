"""Argon2id in a bounded pool of threads.

argon2-cffi releases the interpreter's lock while it works, so threads use every core and the event
loop stays free. Each running hash holds its memory (19 MiB by default): workers bound the memory,
the queue bounds the wait.
"""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from chassis.errors import Unavailable
from chassis.telemetry import metrics

_T = TypeVar("_T")

MEMORY_KIB = 19 * 1024
PASSES = 2
LANES = 1
"""The least that OWASP's Password Storage Cheat Sheet asks of Argon2id."""

_EXPECTED_SECONDS = 0.05

_PENDING = metrics.gauge("auth_password_hashes_pending", "Running or waiting.", ["pool"])


class Argon2Hasher:
    """The port `PasswordHasher`. An async context manager that owns its threads.

    Args:
        workers: how many hashes run at once.
        queue: how many more may wait before callers are sent away.
        memory_kib: memory of one hash.
        passes: over that memory.
    """

    def __init__(
        self,
        *,
        workers: int | None = None,
        queue: int = 64,
        memory_kib: int = MEMORY_KIB,
        passes: int = PASSES,
    ) -> None:
        self._workers = workers or os.cpu_count() or 1
        self._limit = self._workers + queue
        self._pending = 0
        self._argon2 = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=LANES)
        self._threads = ThreadPoolExecutor(self._workers, thread_name_prefix="argon2")
        self._gauge = _PENDING.child("argon2")
        self._decoy = ""

    async def __aenter__(self) -> Self:
        self._decoy = await self.hash(os.urandom(16).hex())
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # What runs takes some 30 ms to its end; what waits has nobody left to wait for it.
        self._threads.shutdown(wait=True, cancel_futures=True)

    @property
    def decoy(self) -> str:
        """See the port."""
        return self._decoy

    async def hash(self, password: str) -> str:
        """See the port."""
        return await self._run(lambda: self._argon2.hash(password))

    async def verify(self, password_hash: str, password: str) -> bool:
        """See the port."""
        return await self._run(lambda: self._matches(password_hash, password))

    def is_outdated(self, password_hash: str) -> bool:
        """See the port."""
        return self._argon2.check_needs_rehash(password_hash)

    def _matches(self, password_hash: str, password: str) -> bool:
        try:
            return self._argon2.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[[], _T]) -> _T:
        if self._pending >= self._limit:
            wait = self._pending / self._workers * _EXPECTED_SECONDS
            raise Unavailable("Too many passwords are being checked", retry_after=max(1.0, wait))
        # Counted until the thread is done with it, even when the caller has long given up.
        self._count(1)
        loop = asyncio.get_running_loop()
        future = self._threads.submit(work)
        future.add_done_callback(lambda _: _tell(loop, self._count, -1))
        return await asyncio.wrap_future(future)

    def _count(self, change: int) -> None:
        self._pending += change
        self._gauge.set(self._pending)


def _tell(loop: asyncio.AbstractEventLoop, count: Callable[[int], None], change: int) -> None:
    try:
        loop.call_soon_threadsafe(count, change)
    except RuntimeError:
        # The loop is closed: nobody counts any more.
        return
