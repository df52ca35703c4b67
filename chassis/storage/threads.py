"""The threads of a SQLite store: one that writes in groups, and some that read."""

import asyncio
import contextlib
import queue
import sqlite3
import threading
from collections.abc import Callable
from typing import ClassVar

from chassis.storage.jobs import (
    Job,
    StoreUnavailable,
    hand_back,
    primary_code,
    translated,
)
from chassis.telemetry import metrics
from chassis.telemetry.logging import get_logger

_log = get_logger("chassis.storage")

Connect = Callable[[], sqlite3.Connection]

_COMMITS = metrics.counter("store_commits_total", "Transactions committed.", ["store"])
_BATCHES = metrics.histogram(
    "store_batch_size",
    "Works that shared one commit.",
    ["store"],
    buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000),
)
_DEPTH = metrics.gauge("store_queue_depth", "Works that wait for the writer.", ["store"])

_STOP = None
_Queue = queue.SimpleQueue[Job | None]


class StoreThread:
    """A thread that owns a connection and works off a bounded queue."""

    role: ClassVar[str]

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        store: str,
        connect: Connect,
        jobs: _Queue,
        limit: int,
    ) -> None:
        self._loop = loop
        self._store = store
        self._connect = connect
        self._jobs = jobs
        self._limit = limit
        self._ended = loop.create_future()
        self._ready = loop.create_future()
        self._thread = threading.Thread(target=self._main, name=f"{store}-{self.role}", daemon=True)

    async def start(self) -> None:
        """Open the connection; what connecting raises is raised here."""
        self._thread.start()
        await self._ready

    def put(self, job: Job) -> None:
        """Queue *job*.

        Raises:
            StoreUnavailable: too much is waiting already, or the thread is gone.
        """
        if not self._thread.is_alive():
            raise StoreUnavailable("the store is closed")
        if self._jobs.qsize() >= self._limit:
            raise StoreUnavailable("the store is overloaded")
        self._jobs.put(job)

    async def stop(self) -> None:
        """Finish what is queued, close the connection, end the thread."""
        if self._thread.ident is None:
            return
        self._jobs.put(_STOP)
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

    def _work(self, connection: sqlite3.Connection) -> None:
        while (job := self._jobs.get()) is not _STOP:
            if not job.future.cancelled():
                run_read(connection, job)
                hand_back(self._loop, [job])
            # Held while waiting for the next, it would keep its result alive.
            del job


class Writer(StoreThread):
    """Commits in groups: all that waits shares one transaction, and so one flush of the disk.

    A work that raises is undone alone. Results are told only after the commit. After an error of
    the disk nothing is written any more: what the operating system has of the file is then unknown,
    and flushing again would lie (the lesson of PostgreSQL's "fsyncgate").
    """

    role = "writer"

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        store: str,
        connect: Connect,
        *,
        limit: int,
        batch: int,
        on_broken: Callable[[StoreUnavailable], None],
    ) -> None:
        super().__init__(loop, store, connect, queue.SimpleQueue(), limit)
        self._batch = batch
        self._on_broken = on_broken
        self._broken = False
        self._commits = _COMMITS.child(store)
        self._sizes = _BATCHES.child(store)
        self._depth = _DEPTH.child(store)

    def _work(self, connection: sqlite3.Connection) -> None:
        running = True
        while running:
            jobs, running = self._take()
            if not jobs:
                continue
            if self._broken:
                _fail(jobs, StoreUnavailable("the store is broken since an error of the disk"))
            else:
                self._write(connection, jobs)
            hand_back(self._loop, jobs)

    def _take(self) -> tuple[list[Job], bool]:
        """All that waits, up to a batch, and whether to go on; blocks while there is nothing."""
        jobs: list[Job] = []
        job = self._jobs.get()
        while job is not _STOP:
            jobs.append(job)
            if len(jobs) >= self._batch:
                break
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                break
        self._depth.set(self._jobs.qsize())
        return jobs, job is not _STOP

    def _write(self, connection: sqlite3.Connection, jobs: list[Job]) -> None:
        try:
            connection.execute("BEGIN IMMEDIATE")
            if not self._all_went_well(connection, jobs):
                connection.execute("ROLLBACK")
                connection.execute("BEGIN IMMEDIATE")
                _one_by_one(connection, jobs)
            connection.execute("COMMIT")
        except Exception as exc:  # noqa: BLE001 -- every kind of failure fails the whole batch
            self._undo(connection, jobs, exc)
            return
        self._commits.inc()
        self._sizes.observe(len(jobs))

    def _all_went_well(self, connection: sqlite3.Connection, jobs: list[Job]) -> bool:
        """Do *jobs* without savepoints, since nearly always none of them fails.

        Each statement lets go of the interpreter's lock and has to get it back from a busy event
        loop: two less for each job are much of what a job costs.
        """
        for job in jobs:
            try:
                job.result = job.work(connection)
            except BaseException as exc:
                if not connection.in_transaction or isinstance(translated(exc), StoreUnavailable):
                    raise
                return False
            if not connection.in_transaction:
                raise RuntimeError("a work may not end the transaction it is in")
        return True

    def _undo(self, connection: sqlite3.Connection, jobs: list[Job], error: Exception) -> None:
        cause = error.__cause__ if isinstance(error, StoreUnavailable) else error
        if connection.in_transaction:
            with contextlib.suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
        failure = translated(error)
        if not isinstance(failure, StoreUnavailable):
            failure = StoreUnavailable("the store did not commit")
            failure.__cause__ = error
        _fail(jobs, failure)
        if cause is not None and primary_code(cause) == sqlite3.SQLITE_IOERR:
            self._broken = True
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._on_broken, failure)


def _one_by_one(connection: sqlite3.Connection, jobs: list[Job]) -> None:
    """Do *jobs* so that one that fails is undone alone."""
    for job in jobs:
        run_write(connection, job)
        if not connection.in_transaction:
            # SQLite gave up the whole transaction (disk full, I/O, memory), so the works before
            # this one are gone too.
            raise job.error or RuntimeError("a work may not end the transaction it is in")


def run_write(connection: sqlite3.Connection, job: Job) -> None:
    """Do one work of a batch inside its own savepoint; an error of its own undoes only it."""
    connection.execute("SAVEPOINT work")
    try:
        job.result = job.work(connection)
    except BaseException as exc:  # noqa: BLE001 -- it belongs to whoever waits for the job
        job.error = translated(exc)
        if connection.in_transaction:
            connection.execute("ROLLBACK TO work")
    if connection.in_transaction:
        connection.execute("RELEASE work")


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


def _fail(jobs: list[Job], error: StoreUnavailable) -> None:
    """Fail all of *jobs*, except those that failed by themselves: their own reason is better."""
    for job in jobs:
        if job.error is None:
            # Each waiter gets an exception of its own: raising one in two places mixes tracebacks.
            job.error = StoreUnavailable(error.message)
            job.error.__cause__ = error.__cause__
