"""Writes that may be repeated, by whoever: they say by themselves whether they are still due.

What a group of commits changes besides the log is a list of these. It stands in the log with them, so that another process
can finish what a dead one has begun; done twice, or late, it changes nothing.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import bson
from pymongo import InsertOne, ReplaceOne, UpdateMany, UpdateOne
from pymongo.errors import BulkWriteError

from chassis.storage.mongo import Document, MongoDatabase, duplicates, store_errors
from workflow_service.adapters.mongo.folding import INSERT, Write, folded
from workflow_service.adapters.mongo.parts import PART, put_aside, taken_back

LAST: Final = "intake"
"""Who reads this collection expects to find everything else in place."""
FOLDED: Final = "executions"
"""Of its documents only the last state counts."""
_OF_RELAY: Final = ("about", "whose", "started_at")


class Writes:
    """Inserts and changes, by collection."""

    def __init__(self) -> None:
        self._of: defaultdict[str, list[Write]] = defaultdict(list)

    @property
    def by_collection(self) -> Mapping[str, Sequence[Write]]:
        """All of them, as they were asked for."""
        return self._of

    def insert(self, collection: str, document: Document) -> None:
        """Have *document* there, unless one with its key is, or only an earlier one if it says its ``position``."""
        self._of[collection].append((INSERT, document, {}))

    def update(self, collection: str, which: Document, change: Document) -> None:
        """Have *change* made where *which* fits."""
        self._of[collection].append(("update", which, change))

    def update_all(self, collection: str, which: Document, change: Document) -> None:
        """Have *change* made wherever *which* fits."""
        self._of[collection].append(("update all", which, change))

    def put(self, collection: str, which: Document, change: Document) -> None:
        """The same, or a new document made, unless one with that ``_id`` does not fit."""
        self._of[collection].append(("upsert", which, change))

    def add(self, collection: str, write: Write) -> None:
        """Have *write* done as well."""
        self._of[collection].append(write)

    def of(self, collection: str) -> Sequence[Write]:
        """Those to one of the collections."""
        return self._of.get(collection, ())

    def without(self, collection: str) -> Writes:
        """Return those to the other collections."""
        made = Writes()
        made._of.update((name, each) for name, each in self._of.items() if name != collection)
        return made

    def record(self, position: int, told: Iterable[Document]) -> None:
        """Have the commits that are *told* from a position on in the histories of their executions."""
        for place, each in enumerate(told, position):
            if "execution" in each:
                commit = {name: value for name, value in each.items() if name not in _OF_RELAY}
                self.insert("commits", {"_id": place, **commit})

    async def stored(self, database: MongoDatabase, token: str) -> Document:
        """Return the members of a document from which ``read`` makes the same writes.

        What would be too large for it is stored apart, under *token*.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        data = bson.encode({"writes": dict(self._of)}) if len(self._of) else b""
        if len(data) <= PART:
            return {"writes": data}
        return {"parts": await put_aside(database, "", token, data)}

    @classmethod
    async def read(cls, database: MongoDatabase, document: Document) -> Writes:
        """Return what ``stored`` kept in *document* of the log, and the records of what it tells.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        data = document.get("writes")
        if data is None:
            data = await taken_back(database, document["by"])
        writes = cls()
        for collection, found in bson.decode(data)["writes"].items() if data else ():
            writes._of[collection] = [tuple(each) for each in found]
        writes.record(document["_id"], document["told"])
        return writes

    @classmethod
    def together(cls, some: Sequence[Writes]) -> Writes:
        """Return what comes to the same as *some*, one after the other."""
        if len(some) == 1:
            return some[0]
        made = cls()
        for writes in some:
            for collection, each in writes.by_collection.items():
                made._of[collection] += each
        return made

    async def apply(self, database: MongoDatabase) -> None:
        """Do all of them.

        Raises:
            StoreUnavailable: some may be undone: do all of them again.
        """
        work = {name: each for name, each in self._of.items() if name != LAST}
        if FOLDED in work:
            work[FOLDED] = folded(work[FOLDED])
        await asyncio.gather(*(_bulk(database, name, each) for name, each in work.items()))
        if LAST in self._of:
            await _bulk(database, LAST, self._of[LAST])


async def _bulk(database: MongoDatabase, collection: str, writes: list[Write]) -> None:
    taken = await _tried(database, collection, [_request(*each) for each in writes])
    # A key that is taken says that it has been done, that something later has, or that only something earlier has.
    later = [_replacement(*writes[place]) for place in taken]
    replacements = [each for each in later if each is not None]
    if replacements:
        _ = await _tried(database, collection, replacements)


async def _tried(
    database: MongoDatabase,
    collection: str,
    requests: Sequence[InsertOne[Document] | ReplaceOne[Document] | UpdateOne | UpdateMany],
) -> list[int]:
    """Do what can be done, and return the places of those that found their key taken."""
    with store_errors():
        try:
            await database.collection(collection).bulk_write(requests, ordered=False)
        except BulkWriteError as exc:
            taken = duplicates(exc)
            if taken is None:
                raise
            return taken
    return []


def _request(
    kind: str, first: Document, change: Mapping[str, object]
) -> InsertOne[Document] | UpdateOne | UpdateMany:
    if kind == INSERT:
        return InsertOne(first)
    if kind == "update all":
        return UpdateMany(first, change)
    return UpdateOne(first, change, upsert=kind == "upsert")


def _replacement(kind: str, first: Document, _: object) -> ReplaceOne[Document] | None:
    if kind != INSERT or "position" not in first:
        return None
    which = {"_id": first["_id"], "position": {"$lt": first["position"]}}
    return ReplaceOne(which, first)
