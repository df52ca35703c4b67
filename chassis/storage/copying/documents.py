"""Records in MongoDB."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import msgspec
from pymongo import ReplaceOne
from pymongo.errors import BulkWriteError

from chassis.errors import CannotStart
from chassis.storage import mongo_migrations as steps
from chassis.storage.copying.records import (
    BYTES,
    RECORDS,
    Cursor,
    Kind,
    Note,
    Page,
    Record,
    size_of,
)
from chassis.storage.mongo import Collection, Document, MongoDatabase, duplicates, store_errors
from chassis.storage.mongo_migrations import MongoMigration
from chassis.storage.unfinished import NOTE

_AT_ONCE: Final = 250
"""How many documents are written at once: also a slow server takes them in the time that an operation has."""
_COPY: Final = "copy"
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Note).decode


class Shelf(Protocol):
    """How one kind of records is kept in collections."""

    @property
    def kind(self) -> Kind:
        """Which."""
        ...

    async def count(self, database: MongoDatabase) -> int:
        """See `Store.count`."""
        ...

    async def read(self, database: MongoDatabase, after: Cursor) -> Page:
        """See `Store.read`."""
        ...

    async def write(self, database: MongoDatabase, records: Sequence[Record]) -> None:
        """See `Store.write`."""
        ...


@dataclass(frozen=True, kw_only=True)
class FoundDocuments:
    """Records that are documents, as they are found.

    Args:
        kind: which; the keys of its documents are of one type.
        record_of: a document as a record.
        collection: where they are; called like the kind without it.
        which: what the documents of this kind have that others in there do not.
    """

    kind: Kind
    record_of: Callable[[Document], Record]
    collection: str = ""
    which: Document = field(default_factory=dict)

    async def count(self, database: MongoDatabase) -> int:
        """See `Shelf`."""
        with store_errors():
            return await self.found_in(database).count_documents(self.which)

    async def read(self, database: MongoDatabase, after: Cursor) -> Page:
        """See `Shelf`."""
        documents, place, more = await following(self.found_in(database), after, self.which)
        return Page([self.record_of(each) for each in documents], place, more)

    def found_in(self, database: MongoDatabase) -> Collection:
        """The collection that they are in."""
        return database.collection(self.collection or self.kind.name)


@dataclass(frozen=True, kw_only=True)
class Documents(FoundDocuments):
    """Records that are documents.

    Args:
        document_of: a record as a document: the inverse.
    """

    document_of: Callable[[Record], Document]

    async def write(self, database: MongoDatabase, records: Sequence[Record]) -> None:
        """See `Shelf`."""
        await put_all(self.found_in(database), [self.document_of(each) for each in records])


async def following(
    collection: Collection, after: Cursor, which: Document, limit: int = RECORDS
) -> tuple[list[Document], Cursor, bool]:
    """Some documents behind a key, the key of the last, and whether there may be more."""
    behind = {"_id": {"$gt": after[0]}} if after else {}
    with store_errors():
        cursor = collection.find(which | behind).sort("_id").limit(limit)
        documents, more = await some(cursor, limit)
    return documents, (documents[-1]["_id"],) if documents else after, more


async def some(
    cursor: AsyncIterator[Document], limit: int = RECORDS
) -> tuple[list[Document], bool]:
    """As many documents as are read at once, and whether there may be more."""
    documents: list[Document] = []
    size = 0
    async for document in cursor:
        documents.append(document)
        size += size_of(tuple(document.values()))
        if len(documents) >= limit or size > BYTES:
            return documents, True
    return documents, False


async def put_all(collection: Collection, documents: Sequence[Document]) -> None:
    """Have *documents* there, in the place of those that have the same key.

    Raises:
        CannotStart: one of them has something that only one document may have, and another one has it.
        StoreUnavailable: the store does not answer; some may be there.
    """
    for start in range(0, len(documents), _AT_ONCE):
        try:
            with store_errors():
                await _put(collection, documents[start : start + _AT_ONCE])
        except BulkWriteError as exc:
            reason = exc.details["writeErrors"][0].get("errmsg", "")
            raise CannotStart(f"{collection.name} takes not all records: {reason}") from exc


async def _put(collection: Collection, documents: Sequence[Document]) -> None:
    try:
        await collection.insert_many(documents, ordered=False)
    except BulkWriteError as exc:
        there = duplicates(exc)
        if there is None:
            raise
        same = (documents[place] for place in there)
        again = [ReplaceOne({"_id": each["_id"]}, each, upsert=True) for each in same]
        await collection.bulk_write(again, ordered=False)


class DocumentStore:
    """A `Store` in a database that no service works on.

    Args:
        service: whose it is.
        database: where.
        shelves: how each kind is kept, in the order of writing.
        migrations: the steps that made the collections.
    """

    def __init__(
        self,
        service: str,
        database: MongoDatabase,
        shelves: Sequence[Shelf],
        migrations: Sequence[MongoMigration],
    ) -> None:
        self.service = service
        self.kinds = [shelf.kind for shelf in shelves]
        self._database = database
        self._shelves = {shelf.kind.name: shelf for shelf in shelves}
        self._migrations = migrations

    async def count(self, kind: Kind) -> int:
        """See the port."""
        return await self._shelves[kind.name].count(self._database)

    async def read(self, kind: Kind, after: Cursor) -> Page:
        """See the port."""
        return await self._shelves[kind.name].read(self._database, after)

    async def write(self, kind: Kind, records: Sequence[Record], note: Note) -> None:
        """See the port: the note comes later, and what it does not tell of yet is written again."""
        await self._shelves[kind.name].write(self._database, records)
        await self.put_note(note)

    async def note(self) -> Note | None:
        """See the port."""
        with store_errors():
            found = await self._database.collection(NOTE).find_one({"_id": _COPY})
        return None if found is None else _decode(found["note"])

    async def put_note(self, note: Note) -> None:
        """See the port."""
        document = {"_id": _COPY, "state": note.state, "note": _encode(note)}
        with store_errors():
            notes = self._database.collection(NOTE)
            await notes.replace_one({"_id": _COPY}, document, upsert=True)

    async def clear(self) -> None:
        """See the port."""
        await steps.revert(self._database, self._migrations, to_version=0)
        await steps.migrate(self._database, self._migrations, half=True)
