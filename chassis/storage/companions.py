"""What is to be written in the transaction of somebody else's write."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeAlias, TypeVar

from chassis.storage.mongo import MongoTransaction

T = TypeVar("T")

Transaction: TypeAlias = sqlite3.Connection | MongoTransaction
"""Of whichever store. A companion never waits: what it writes on MongoDB it leaves for the transaction's end."""


class Companion:
    """A work that goes along with the first write of its context."""

    __slots__ = ("done", "taken", "work")

    def __init__(self, work: Callable[[Transaction], None]) -> None:
        self.work = work
        self.taken = False
        """Whether a write has taken it along."""
        self.done = False
        """Whether it was done with that write, so far."""

    def follow(self, transaction: Transaction, result: object) -> None:
        """Do it, unless *result* is False: that is how works say that they changed nothing."""
        self.done = result is not False  # the whole may be undone and done again
        if self.done:
            self.work(transaction)


_companion: ContextVar[Companion | None] = ContextVar("companion", default=None)

_usual: ContextVar[Callable[[], Companion | None] | None] = ContextVar("usual", default=None)


@contextmanager
def beside(companion: Companion) -> Iterator[None]:
    """Inside: the first write to a store of this process has *companion* along."""
    before = _companion.set(companion)
    try:
        yield
    finally:
        _companion.reset(before)


def usually_beside(companion: Callable[[], Companion | None]) -> None:
    """From here on the writes of this context that have no other companion have what *companion* gives along."""
    _usual.set(companion)


@contextmanager
def alone() -> Iterator[None]:
    """Inside: writes have no companion but those that they are given themselves."""
    before = _usual.set(None)
    try:
        yield
    finally:
        _usual.reset(before)


def take_companion() -> Companion | None:
    """The companion of this context, if there is one that no write has taken yet."""
    companion = _companion.get()
    if companion is None or companion.taken:
        usual = _usual.get()
        companion = usual() if usual is not None else None
    if companion is not None:
        companion.taken = True
    return companion


def on_sqlite(transaction: Transaction) -> sqlite3.Connection:
    """*transaction*, which is one of SQLite."""
    if not isinstance(transaction, sqlite3.Connection):
        raise TypeError("the transaction is of another store")
    return transaction


def on_mongo(transaction: Transaction) -> MongoTransaction:
    """*transaction*, which is one of MongoDB."""
    if not isinstance(transaction, MongoTransaction):
        raise TypeError("the transaction is of another store")
    return transaction


def accompanied(work: Callable[[sqlite3.Connection], T]) -> Callable[[sqlite3.Connection], T]:
    """*work*, with the companion of this context."""
    companion = take_companion()
    if companion is None:
        return work

    def both(connection: sqlite3.Connection) -> T:
        result = work(connection)
        companion.follow(connection, result)
        return result

    return both
