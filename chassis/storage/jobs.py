"""Work on its way to a thread of a store, and its outcome on the way back."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any, Protocol

from chassis.errors import Unavailable

Work = Callable[[sqlite3.Connection], Any]

RETRY_AFTER = 1.0


class StoreUnavailable(Unavailable):
    """The store cannot take or give data at the moment: overloaded, full, closed or broken."""

    def __init__(self, message: str, *, retry_after: float = RETRY_AFTER) -> None:
        super().__init__(message, retry_after=retry_after)


class Job:
    """One piece of work, who waits for it, and what became of it."""

    __slots__ = ("error", "future", "result", "work")

    def __init__(self, work: Work, future: asyncio.Future[Any]) -> None:
        self.work = work
        self.future = future
        self.result: Any = None
        self.error: BaseException | None = None

    def settle(self) -> None:
        """Tell whoever waits; only within the event loop. Nobody may be waiting any more."""
        if self.future.done():
            return
        if self.error is None:
            self.future.set_result(self.result)
        else:
            self.future.set_exception(self.error)


TOGETHER = 64
"""How many works are done together at the most."""


class SharedWork(Protocol):
    """A brief work that knows how to be done together with others in fewer statements.

    Brief: microseconds, since it is done on the event loop. Works are neighbours for `together` when they have
    the very same function of that name.
    """

    def __call__(self, connection: sqlite3.Connection, /) -> Any:
        """Do this one alone, and return its result."""
        ...

    @staticmethod
    def together(connection: sqlite3.Connection, works: Sequence[Any], /) -> Sequence[Any]:
        """Do all of *works*, in any order, and return their results.

        Whatever it raises has all of them undone and done again one by one, so that each gets its own outcome.
        """
        ...


def in_groups(jobs: Sequence[Job]) -> Iterator[Sequence[Job]]:
    """Divide *jobs* into neighbours that can be done together, keeping their order."""
    for together, group in groupby(jobs, key=_together):
        if together is None:
            yield from ([job] for job in group)
        else:
            alike = list(group)
            for start in range(0, len(alike), TOGETHER):
                yield alike[start : start + TOGETHER]


def is_brief(job: Job) -> bool:
    """Whether *job* is a `SharedWork`."""
    return _together(job) is not None


def do_together(connection: sqlite3.Connection, jobs: Sequence[Job]) -> None:
    """Do one group of `in_groups`."""
    if len(jobs) == 1:
        jobs[0].result = jobs[0].work(connection)
    else:
        results = _together(jobs[0])(connection, [job.work for job in jobs])
        for job, result in zip(jobs, results, strict=True):
            job.result = result


def _together(job: Job) -> Any:
    return getattr(job.work, "together", None)


def settle_all(jobs: Sequence[Job]) -> None:
    """Tell all who wait for *jobs*; only within the event loop."""
    for job in jobs:
        job.settle()


def hand_back(loop: asyncio.AbstractEventLoop, jobs: Sequence[Job]) -> None:
    """Have *loop* settle *jobs*, waking it once for all; from any thread."""
    try:
        loop.call_soon_threadsafe(settle_all, jobs)
    except RuntimeError:
        # The loop was closed while the work was under way: nobody is left to be told.
        return


# Primary result codes (https://sqlite.org/rescode.html) that say something about the store rather
# than about the statement. Extended codes have the primary one in their low byte.
_OF_THE_STORE = {
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_IOERR: "the disk cannot be read or written",
    sqlite3.SQLITE_BUSY: "another process holds the store",
    sqlite3.SQLITE_LOCKED: "the store is locked",
    sqlite3.SQLITE_NOMEM: "there is not enough memory",
    sqlite3.SQLITE_READONLY: "the store is read-only",
    sqlite3.SQLITE_CANTOPEN: "the store's file cannot be opened",
    sqlite3.SQLITE_CORRUPT: "the store is damaged",
    sqlite3.SQLITE_NOTADB: "the store's file is not a database",
}


def primary_code(error: BaseException) -> int | None:
    """SQLite's primary result code of *error*; None when it is no error of SQLite's."""
    if not isinstance(error, sqlite3.Error):
        return None
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def translated(error: BaseException) -> BaseException:
    """*error*, or a StoreUnavailable caused by it when it is about the state of the store."""
    reason = _OF_THE_STORE.get(primary_code(error) or 0)
    if reason is None:
        return error
    unavailable = StoreUnavailable(reason)
    unavailable.__cause__ = error
    return unavailable
