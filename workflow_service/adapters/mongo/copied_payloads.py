"""Large values as records: the parts of one are put together."""

from __future__ import annotations

from collections.abc import Sequence

from chassis.storage.copying.documents import following, put_all
from chassis.storage.copying.records import Cursor, Page, Record
from chassis.storage.keys import key_of, parts_of
from chassis.storage.mongo import Collection, Document, MongoDatabase, store_errors
from workflow_service.adapters.copied import PAYLOADS
from workflow_service.adapters.mongo.payloads import data_of, first_and_more

_FIRST = {"parts": {"$exists": True}}


class PayloadShelf:
    """All large values."""

    kind = PAYLOADS

    async def count(self, database: MongoDatabase) -> int:
        """See `Shelf`."""
        with store_errors():
            return await database.collection("payloads").count_documents(_FIRST)

    async def read(self, database: MongoDatabase, after: Cursor) -> Page:
        """See `Shelf`."""
        values = database.collection("payloads")
        found, place, more = await following(values, after, _FIRST)
        with store_errors():
            records = [await _record_of(values, each) for each in found]
        return Page(records, place, more)

    async def write(self, database: MongoDatabase, records: Sequence[Record]) -> None:
        """See `Shelf`."""
        values = database.collection("payloads")
        made = [_documents_of(record) for record in records]
        # The first ones last: who finds one finds all of it.
        await put_all(values, [part for documents in made for part in documents[1:]])
        await put_all(values, [documents[0] for documents in made])


async def _record_of(values: Collection, first: Document) -> Record:
    tenant, digest = parts_of(first["_id"])
    return (tenant, digest, await data_of(values, first))


def _documents_of(record: Record) -> list[Document]:
    tenant, digest, data = record
    assert isinstance(data, bytes)  # noqa: S101 - the kind says so
    payload = key_of(str(tenant), str(digest))
    first, more = first_and_more(payload, data)
    return [{"_id": payload, **first, "users": 1}, *more]
