"""MongoDB as a store for asyncio: acknowledged means on the disks of a majority.

A client belongs to the event loop that made it, so it is made in the lifespan and closed with it. What the driver raises
stops here: a store that does not answer is `StoreUnavailable`, and whether a write without an answer has happened is then
not known. The driver repeats a write once by itself, which the server recognises (retryable writes).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final, TypeAlias, TypeVar
from urllib.parse import urlsplit

import pymongo
from bson import Binary
from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import (
    BulkWriteError,
    ConnectionFailure,
    ExecutionTimeout,
    InvalidOperation,
    OperationFailure,
    PyMongoError,
    WriteConcernError,
)

from chassis.errors import CannotStart
from chassis.storage.jobs import StoreUnavailable
from chassis.storage.mongo_client import client_of

Document: TypeAlias = dict[str, Any]
Collection: TypeAlias = AsyncCollection[Document]
Session: TypeAlias = AsyncClientSession
SessionId: TypeAlias = Binary
T = TypeVar("T")

DUPLICATE_KEY: Final = 11000

# Codes of the server that are about its state and not about the command
# (https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml).
_OF_THE_STORE: Final = {
    13: "the database refuses this user",
    18: "the database does not accept the credentials",
    50: "the database took too long",
    64: "the write was not confirmed by a majority",
    91: "the database is shutting down",
    112: "the database is too busy",
    189: "the database has no primary",
    10107: "the database has no primary",
    11600: "the database is shutting down",
    11601: "the database has ended the operation",
    11602: "the database has changed its primary",
    13435: "the database has no primary",
    13436: "the database is recovering",
    14031: "the disk of the database is full",
}

_SESSIONS_KNOWN: Final = 128
"""How many sessions of transactions are remembered; the driver uses few, again and again."""


class MongoDatabase:
    """One database and the client that reaches it; made by `opened`.

    Args:
        database: the driver's.
        client: the same.
    """

    def __init__(
        self, client: AsyncMongoClient[Document], database: AsyncDatabase[Document]
    ) -> None:
        self._client = client
        self._database = database
        self._sessions: dict[SessionId, None] = {}

    def collection(self, name: str) -> Collection:
        """The collection called *name*."""
        return self._database[name]

    @property
    def sessions(self) -> Sequence[SessionId]:
        """Those that transactions of this process are made in, the latest last."""
        return list(self._sessions)

    @property
    def patience(self) -> float | None:
        """Seconds that one operation may take, its repetitions included, as the URL says; None: as long as it takes."""
        return self._client.options.timeout

    @property
    def driver(self) -> AsyncDatabase[Document]:
        """The driver's database, for migrations."""
        return self._database

    async def atomically(self, work: Callable[[Session], Coroutine[Any, Any, T]]) -> T:
        """What *work* returns; what it writes with its session is written as a whole, or not at all.

        It is called again from its beginning when somebody else has just changed the same documents.

        Raises:
            StoreUnavailable: the store does not answer; it may have been written.
        """
        with store_errors(), pymongo.timeout(self.patience):
            async with self._client.start_session() as session:
                self._remember(session.session_id["id"])
                return await session.with_transaction(work)

    def _remember(self, session: SessionId) -> None:
        _ = self._sessions.pop(session, None)
        self._sessions[session] = None
        if len(self._sessions) > _SESSIONS_KNOWN:
            del self._sessions[next(iter(self._sessions))]

    async def end_sessions(self, sessions: Sequence[SessionId]) -> None:
        """End what is under way in *sessions* of another process: the server undoes their transactions.

        Without it the server waits for `transactionLifetimeLimitSeconds` (60 by default), and with it everybody who wants to
        write the same. A process that lives after all begins its transaction again.

        Raises:
            StoreUnavailable: the store does not answer, or this user may not.
        """
        command = {"killSessions": [{"id": session} for session in sessions]}
        try:
            with store_errors():
                await self._client.admin.command(command)
        except OperationFailure as exc:
            raise StoreUnavailable(f"the database ends no sessions (code {exc.code})") from exc

    async def check(self) -> None:
        """Ask for a sign of life.

        Raises:
            StoreUnavailable: the database does not answer.
        """
        with store_errors():
            await self._client.admin.command("ping")


class MongoTransaction:
    """A transaction while it is made, and what is to be written at its end.

    The end is for what many transactions write: from there to the commit it takes the fewest round trips, during which another
    one that comes to the same documents has to begin again.

    Args:
        database: what it is about.
        session: to be given to every operation that belongs to it.
    """

    def __init__(self, database: MongoDatabase, session: Session) -> None:
        self.session = session
        self._database = database
        self._last: list[Callable[[], Awaitable[None]]] = []

    def collection(self, name: str) -> Collection:
        """The collection called *name*; operations on it take the `session`."""
        return self._database.collection(name)

    def at_the_end(self, write: Callable[[], Awaitable[None]]) -> None:
        """Do *write* after all that the transaction does by itself, in the order of these calls."""
        self._last.append(write)

    async def finish(self) -> None:
        """Write what was left for the end."""
        for write in self._last:
            await write()


@asynccontextmanager
async def opened(url: str, service: str) -> AsyncIterator[MongoDatabase]:
    """The database of *service* at *url*, `mongodb://host/prefix?options`: it is called `prefix_service`.

    Raises:
        CannotStart: the URL cannot be used, or nothing answers there.
    """
    client = client_of(url, service)
    try:
        database = MongoDatabase(client, client[database_name(url, service)])
        try:
            await database.check()
        except StoreUnavailable as exc:
            raise CannotStart(f"cannot reach the store of {service}: {exc.message}") from exc
        yield database
    finally:
        await client.close()


def database_name(url: str, service: str) -> str:
    """What the database of *service* is called at *url*."""
    prefix = urlsplit(url).path.strip("/") or "autoworker"
    return f"{prefix}_{service}"


@contextmanager
def store_errors() -> Iterator[None]:
    """Turn what the driver raises about the state of the store into `StoreUnavailable`; the rest passes.

    Whoever was cancelled inside ends here: the driver waits with `asyncio.wait_for`, which before Python 3.12 loses a
    cancellation that comes at the same moment as the answer (python/cpython#86296).
    """
    cancellations = _cancellations()
    try:
        yield
    except PyMongoError as exc:
        _heed_more_than(cancellations)
        reason = _reason(exc)
        if reason is None:
            raise
        raise StoreUnavailable(reason) from exc
    _heed_more_than(cancellations)


def _cancellations() -> int:
    task = asyncio.current_task()
    return 0 if task is None else task.cancelling()


def _heed_more_than(known: int) -> None:
    if _cancellations() > known:
        raise asyncio.CancelledError


async def answered(operation: Callable[[], Awaitable[T]]) -> T:
    """The outcome of *operation*.

    Raises:
        StoreUnavailable: the store did not answer; a write may have happened.
    """
    with store_errors():
        return await operation()


def _reason(error: PyMongoError) -> str | None:
    match error:
        case BulkWriteError():
            lost = error.details.get("writeConcernErrors")
            return _OF_THE_STORE[64] if lost else None
        case ConnectionFailure():
            return "the database does not answer"
        case ExecutionTimeout():
            return _OF_THE_STORE[50]
        case WriteConcernError():
            return _OF_THE_STORE[64]
        case OperationFailure():
            transient = error.has_error_label("RetryableWriteError")
            return _OF_THE_STORE.get(error.code or 0, "the database failed" if transient else None)
        case InvalidOperation():
            return "the store is closed"
        case _:
            return "the database took too long" if error.timeout else None


def duplicates(error: BulkWriteError) -> list[int] | None:
    """Positions of the writes that found their key taken; None when something else failed as well."""
    failed: list[Document] = error.details.get("writeErrors", [])
    if error.details.get("writeConcernErrors") or any(
        each.get("code") != DUPLICATE_KEY for each in failed
    ):
        return None
    return [each["index"] for each in failed]
