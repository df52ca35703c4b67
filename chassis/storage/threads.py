"""The threads of a SQLite store, and those of them that read."""

import asyncio
import contextlib
import queue
import sqlite3
import threading
from collections.abc import Callable
from typing import ClassVar

from chassis.storage.jobs import Job, StoreUnavailable, hand_back, translated
from chassis.telemetry.logging import get_logger

_log = get_logger("chassis.storage")

Connect = Callable[[], sqlite3.Connection]
Jobs = queue.SimpleQueue[Job | None]

_STOP = None


class StoreThread:
    """A thread that owns a connection and works off what it is given."""

    role: ClassVar[str]

    def __init__(self, loop: asyncio.AbstractEventLoop, store: str, connect: Connect) -> None:
        self._loop = loop
        self._store = store
        self._connect = connect
        self._ended = loop.create_future()
        self._ready = loop.create_future()
        self._thread = threading.Thread(target=self._main, name=f"{store}-{self.role}", daemon=True)

    async def start(self) -> None:
        """Open the connection; what connecting raises is raised here."""
        self._thread.start()
        await self._ready

    @property
    def alive(self) -> bool:
        """Whether it still works."""
        return self._thread.is_alive()

    async def stop(self) -> None:
        """Finish what is queued, close the connection, end the thread."""
        if self._thread.ident is None:
            return
        self._dismiss()
        await asyncio.shield(self._ended)
        self._thread.join()

    def _main(self) -> None:
        try:
            with contextlib.closing(self._connect()) as connection:
                self._tell(self._ready)
                self._work(connection)
        except BaseException as exc:  # noqa: BLE001 -- a thread has nobody else to tell
            if self._ready.done():
                _log.critical("store_thread_died", store=self._store, exc_info=exc)
            self._tell(self._ready, exc)
        finally:
            self._tell(self._ended)

    def _work(self, connection: sqlite3.Connection) -> None:
        """Work until dismissed."""
        raise NotImplementedError

    def _dismiss(self) -> None:
        """Have `_work` return once it has done what it was given."""
        raise NotImplementedError

    def _tell(self, future: asyncio.Future[None], error: BaseException | None = None) -> None:
        def settle() -> None:
            if future.done():
                return
            if error is None:
                future.set_result(None)
            else:
                future.set_exception(error)

        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(settle)


class Reader(StoreThread):
    """Runs one read after the other, each in a transaction of its own: a stable snapshot."""

    role = "reader"

    def __init__(
        self, loop: asyncio.AbstractEventLoop, store: str, connect: Connect, jobs: Jobs, limit: int
    ) -> None:
        super().__init__(loop, store, connect)
        self._jobs = jobs
        self._limit = limit

    def put(self, job: Job) -> None:
        """Queue *job*.

        Raises:
            StoreUnavailable: too much is waiting already, or the thread is gone.
        """
        if not self.alive:
            raise StoreUnavailable("the store is closed")
        if self._jobs.qsize() >= self._limit:
            raise StoreUnavailable("the store is overloaded")
        self._jobs.put(job)

    def _dismiss(self) -> None:
        self._jobs.put(_STOP)

    def _work(self, connection: sqlite3.Connection) -> None:
        while (job := self._jobs.get()) is not _STOP:
            if not job.future.cancelled():
                run_read(connection, job)
                hand_back(self._loop, [job])
            # Held while waiting for the next, it would keep its result alive.
            del job


def run_read(connection: sqlite3.Connection, job: Job) -> None:
    """Do one read in a transaction that is never committed, since it has nothing to say."""
    try:
        connection.execute("BEGIN")
        try:
            job.result = job.work(connection)
        finally:
            connection.execute("ROLLBACK")
    except BaseException as exc:  # noqa: BLE001 -- it belongs to whoever waits for the job
        job.error = translated(exc)
