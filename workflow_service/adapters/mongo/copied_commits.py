"""Commits as records; the events of a large one are kept apart from it, as they are when it is made here."""

from __future__ import annotations

from collections.abc import Sequence

from chassis.storage.copying.documents import following, put_all
from chassis.storage.copying.records import Cursor, Page, Record, Value
from chassis.storage.mongo import Document, MongoDatabase, store_errors
from workflow_service.adapters.copied import COMMITS
from workflow_service.adapters.mongo.commits import ASIDE
from workflow_service.adapters.mongo.parts import put_aside
from workflow_service.adapters.mongo.reading import events_data


class CommitShelf:
    """All commits."""

    kind = COMMITS

    async def count(self, database: MongoDatabase) -> int:
        """See `Shelf`."""
        with store_errors():
            return await database.collection("commits").count_documents({})

    async def read(self, database: MongoDatabase, after: Cursor) -> Page:
        """See `Shelf`."""
        found, place, more = await following(database.collection("commits"), after, {})
        return Page([await _record_of(database, each) for each in found], place, more)

    async def write(self, database: MongoDatabase, records: Sequence[Record]) -> None:
        """See `Shelf`."""
        documents = [await _document_of(database, each) for each in records]
        await put_all(database.collection("commits"), documents)


async def kept_events(
    database: MongoDatabase, execution: Value, position: Value, events: Value
) -> Document:
    """Return the member that has the events of a commit, or says where they are kept."""
    if not isinstance(events, bytes) or len(events) < ASIDE:
        return {"events": events}
    token = f"copy-{position!s}"
    _ = await put_aside(database, str(execution), token, events)
    return {"token": token}


async def _document_of(database: MongoDatabase, record: Record) -> Document:
    position, execution, first, last, at, version, events, references = record
    return {
        "_id": position,
        "last": last,
        "execution": execution,
        "first": first,
        "at": at,
        "version": version,
        "references": references,
        **await kept_events(database, execution, position, events),
    }


async def _record_of(database: MongoDatabase, document: Document) -> Record:
    events = await events_data(database, document)
    names = ("_id", "execution", "first", "last", "at", "version")
    return (*(document[name] for name in names), events, document["references"])
