"""A note in a store that it is being filled from another one: until that is finished, no service may work on it."""

from __future__ import annotations

import sqlite3
from typing import Final

from chassis.errors import CannotStart
from chassis.storage.mongo import MongoDatabase, store_errors

NOTE: Final = "store_copy"
"""The table, or the collection, that the note is kept in."""
DONE: Final = "done"
"""What the note says when the copy is whole; it stays, to tell where everything came from."""

HALF: Final = (
    "the store is only half copied: finish it with the same `autoworker store copy FROM TO`,"
    " or begin anew by adding --restart to it"
)


def refuse_half_file(connection: sqlite3.Connection) -> None:
    """Raise when the file of *connection* is half of a copy.

    Raises:
        CannotStart: it is.
    """
    there = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
    if connection.execute(there, (NOTE,)).fetchone() is None:
        return
    row = connection.execute(f"SELECT state FROM {NOTE}").fetchone()  # noqa: S608 - a constant
    if row is not None and row[0] != DONE:
        raise CannotStart(HALF)


async def refuse_half_database(database: MongoDatabase) -> None:
    """Raise when *database* is half of a copy.

    Raises:
        CannotStart: it is.
        StoreUnavailable: the database does not answer.
    """
    with store_errors():
        note = await database.collection(NOTE).find_one({"state": {"$ne": DONE}}, {"_id": 1})
    if note is not None:
        raise CannotStart(HALF)
