"""Writing a SQLite store in groups: all that waits shares one transaction, and so one flush of the disk.

A transaction has two halves. Brief works (`SharedWork`) are done on the event loop: their statements take
microseconds, and in a thread each of them would wait for the interpreter's lock, which a busy loop holds for
milliseconds. Everything else, and the commit with its flush, is done in the writer's thread.
"""

import asyncio
import contextlib
import queue
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Sequence
from itertools import takewhile
from typing import Final

from chassis.storage.jobs import (
    Job,
    StoreUnavailable,
    do_together,
    in_groups,
    is_brief,
    primary_code,
    settle_all,
    translated,
)
from chassis.storage.threads import Connect, StoreThread
from chassis.telemetry import metrics

_COMMITS = metrics.counter("store_commits_total", "Transactions committed.", ["store"])
_BATCHES = metrics.histogram(
    "store_batch_size",
    "Works that shared one commit.",
    ["store"],
    buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000),
)
_DEPTH = metrics.gauge("store_queue_depth", "Works that wait for the writer.", ["store"])

BRIEF: Final = 0.004
"""Seconds of one transaction that are spent on the event loop; what is left then is done in the thread."""
LINGER: Final = 0.006
"""The longest pause between two transactions, in seconds, while many write at the same time."""
CROWD: Final = 25
"""How many works of the last transaction make the pause the longest."""
PATIENCE: Final = 5.0
"""Seconds to wait for another process that writes to the file."""
_PAUSE: Final = 0.01


class Batch:
    """The works of one transaction, and how far it has come."""

    __slots__ = ("begun", "done", "failure", "jobs")

    def __init__(self, jobs: Sequence[Job]) -> None:
        self.jobs = jobs
        self.begun = False
        """Whether the transaction is open."""
        self.done = 0
        """How many of the works have been done."""
        self.failure: BaseException | None = None
        """Why the next one could not be done."""


class Writer(StoreThread):
    """Commits in groups.

    A work that raises is undone alone. Results are told only after the commit. After an error of
    the disk nothing is written any more: what the operating system has of the file is then unknown,
    and flushing again would lie (the lesson of PostgreSQL's "fsyncgate").

    Args:
        loop: of those who write.
        store: its name in metrics.
        connect: opens the connection, which both halves use in turns.
        limit: how many works may wait.
        batch: how many share a transaction at the most.
        on_broken: told, on the loop, when the disk has failed.
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
        super().__init__(loop, store, connect)
        self._limit = limit
        self._batch = batch
        self._on_broken = on_broken
        self._broken = False
        self._waiting: deque[Job] = deque()
        self._busy = False
        self._leaving = False
        self._transactions: queue.SimpleQueue[Batch | None] = queue.SimpleQueue()
        self._connection: sqlite3.Connection | None = None
        self._commits = _COMMITS.child(store)
        self._sizes = _BATCHES.child(store)
        self._depth = _DEPTH.child(store)

    # ------------------------------------------------------------ on the event loop

    def put(self, job: Job) -> None:
        """Queue *job*.

        Raises:
            StoreUnavailable: too much is waiting already, or the thread is gone.
        """
        if not self.alive:
            raise StoreUnavailable("the store is closed")
        if len(self._waiting) >= self._limit:
            raise StoreUnavailable("the store is overloaded")
        self._waiting.append(job)
        if not self._busy:
            self._busy = True
            # Not at once: what else this turn of the loop writes shares the transaction.
            self._loop.call_soon(self._next)

    def _next(self) -> None:
        """Begin the next transaction, if anybody waits for it."""
        jobs = [self._waiting.popleft() for _ in range(min(self._batch, len(self._waiting)))]
        self._depth.set(len(self._waiting))
        if jobs:
            batch = Batch(jobs)
            self._do_brief_works(batch)
            self._transactions.put(batch)
            return
        self._busy = False
        if self._leaving:
            self._transactions.put(None)

    def _do_brief_works(self, batch: Batch) -> None:
        """Do the works at the head of *batch* that are brief; only while the thread has nothing to do."""
        brief = list(takewhile(is_brief, batch.jobs))
        if not brief or self._broken or self._connection is None:
            return
        if not _begun(self._connection):
            return  # another process writes: the thread has the patience to wait for it
        batch.begun = True
        until = time.perf_counter() + BRIEF
        for alike in in_groups(brief):
            try:
                do_together(self._connection, alike)
            except BaseException as exc:  # noqa: BLE001 -- the thread finds out whose it is
                batch.failure = exc
                return
            batch.done += len(alike)
            if time.perf_counter() > until:
                return

    def _over(self, batch: Batch) -> None:
        settle_all(batch.jobs)
        crowd = len(batch.jobs)
        if crowd == 1 or self._leaving:
            self._next()
        else:
            # Where one waits for its commit, others will in a moment: fewer and larger transactions cost less.
            self._loop.call_later(LINGER * min(crowd / CROWD, 1.0), self._next)

    def _dismiss(self) -> None:
        self._leaving = True
        if not self._busy:
            self._transactions.put(None)

    # ------------------------------------------------------------ in the thread

    def _work(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        while (batch := self._transactions.get()) is not None:
            if self._broken:
                _fail(
                    batch.jobs, StoreUnavailable("the store is broken since an error of the disk")
                )
            else:
                self._write(connection, batch)
            with contextlib.suppress(
                RuntimeError
            ):  # the loop was closed: nobody is left to be told
                self._loop.call_soon_threadsafe(self._over, batch)
            del batch  # held while waiting for the next, it would keep its results alive

    def _write(self, connection: sqlite3.Connection, batch: Batch) -> None:
        try:
            if not batch.begun:
                _begin(connection)
            if not _all_went_well(connection, batch):
                connection.execute("ROLLBACK")
                _begin(connection)
                _one_by_one(connection, batch.jobs)
            connection.execute("COMMIT")
        except Exception as exc:  # noqa: BLE001 -- every kind of failure fails the whole batch
            self._undo(connection, batch.jobs, exc)
            return
        self._commits.inc()
        self._sizes.observe(len(batch.jobs))

    def _undo(self, connection: sqlite3.Connection, jobs: Sequence[Job], error: Exception) -> None:
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


def _begun(connection: sqlite3.Connection) -> bool:
    """Begin a transaction without waiting for anybody; False when that cannot be."""
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.Error:
        return False
    return True


def _begin(connection: sqlite3.Connection) -> None:
    """Begin a transaction, waiting for another process that writes."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            connection.execute("BEGIN IMMEDIATE")
            return
        except sqlite3.OperationalError as exc:
            if primary_code(exc) != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
        time.sleep(_PAUSE)


def _all_went_well(connection: sqlite3.Connection, batch: Batch) -> bool:
    """Do what is left of *batch* without savepoints, since nearly always none of the works fails."""
    try:
        if batch.failure is not None:
            raise batch.failure
        for alike in in_groups(batch.jobs[batch.done :]):
            do_together(connection, alike)
            if not connection.in_transaction:
                raise RuntimeError("a work may not end the transaction it is in")
    except BaseException as exc:
        if not connection.in_transaction or isinstance(translated(exc), StoreUnavailable):
            raise
        return False
    return True


def _one_by_one(connection: sqlite3.Connection, jobs: Sequence[Job]) -> None:
    """Do *jobs* so that one that fails is undone alone."""
    for job in jobs:
        _do_apart(connection, job)
        if not connection.in_transaction:
            # SQLite gave up the whole transaction (disk full, I/O, memory), so the works before
            # this one are gone too.
            raise job.error or RuntimeError("a work may not end the transaction it is in")


def _do_apart(connection: sqlite3.Connection, job: Job) -> None:
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


def _fail(jobs: Sequence[Job], error: StoreUnavailable) -> None:
    """Fail all of *jobs*, except those that failed by themselves: their own reason is better."""
    for job in jobs:
        if job.error is None:
            # Each waiter gets an exception of its own: raising one in two places mixes tracebacks.
            job.error = StoreUnavailable(error.message)
            job.error.__cause__ = error.__cause__
