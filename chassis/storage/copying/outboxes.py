"""The audit outbox as records: its order is kept, and its positions are not, which nobody knows outside of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Final

from chassis.storage.copying import documents, tables
from chassis.storage.copying.documents import put_all
from chassis.storage.copying.records import RECORDS, Cursor, Kind, Page, Record, Value, number_of
from chassis.storage.mongo import MongoDatabase, store_errors

AUDIT_OUTBOX: Final = Kind("audit_outbox", ("number", "entry"))
_READ: Final = "SELECT position, entry FROM audit_outbox WHERE position > ? ORDER BY position"


class OutboxRows:
    """The outbox in SQLite."""

    kind = AUDIT_OUTBOX

    def count(self, db: sqlite3.Connection) -> int:
        """See `tables.Shelf`."""
        return int(db.execute("SELECT COUNT(*) FROM audit_outbox").fetchone()[0])

    def read(self, db: sqlite3.Connection, after: Cursor) -> Page:
        """See `tables.Shelf`."""
        position, number = after or (0, 0)
        rows, more = tables.some(db.execute(_READ, (position,)))
        records = _numbered(number, [entry for _, entry in rows])
        place = (rows[-1][0], records[-1][0]) if rows else (position, number)
        return Page(records, place, more)

    def write(self, db: sqlite3.Connection, records: Sequence[Record]) -> None:
        """See `tables.Shelf`."""
        tables.inserting("audit_outbox", ("position", "entry"))(db, records)


class OutboxDocuments:
    """The outbox in MongoDB: the copied ones have numbers as keys, which come before all that is added later."""

    kind = AUDIT_OUTBOX

    async def count(self, database: MongoDatabase) -> int:
        """See `documents.Shelf`."""
        with store_errors():
            return await database.collection("audit_outbox").count_documents({})

    async def read(self, database: MongoDatabase, after: Cursor) -> Page:
        """See `documents.Shelf`."""
        (number,) = after or (0,)
        entries = database.collection("audit_outbox").find().sort("_id").skip(number_of(number))
        with store_errors():
            found, more = await documents.some(entries.limit(RECORDS))
        records = _numbered(number, [each["entry"] for each in found])
        return Page(records, (records[-1][0] if records else number,), more)

    async def write(self, database: MongoDatabase, records: Sequence[Record]) -> None:
        """See `documents.Shelf`."""
        made = [{"_id": number, "entry": entry} for number, entry in records]
        await put_all(database.collection("audit_outbox"), made)


def _numbered(last: Value, entries: Sequence[Value]) -> list[Record]:
    return list(enumerate(entries, number_of(last) + 1))
