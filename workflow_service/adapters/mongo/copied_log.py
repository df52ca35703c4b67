"""The log as records: what the relay has yet to read, and where it ends.

The last document of a copied log has one position only, its end. It is there before everything else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from chassis.storage.copying.documents import following, put_all
from chassis.storage.copying.records import BYTES, Cursor, Page, Record, Value, number_of, size_of
from chassis.storage.mongo import Document, MongoDatabase, store_errors
from workflow_service.adapters.copied import OUTBOX, SEQUENCES
from workflow_service.adapters.mongo.copied_commits import kept_events
from workflow_service.adapters.mongo.journal import GROUP
from workflow_service.adapters.mongo.reading import events_data

_GROUPS: Final = 8
"""How many documents of the log are read at once: each has many positions."""
_BY: Final = "copy"
_NOTHING: Final[Document] = {"by": _BY, "node": "", "tips": [], "writes": b"", "done": 1}
_ABOUT: Final = ("namespace", "name", "version", "tenant", "owner", "started_at")
_OUTSIDE: Final = 1
"""The sequence of the first event of those from outside, and the version of their form."""


async def end_of(database: MongoDatabase) -> int:
    """Return the last position of the log."""
    newest = await _newest(database)
    return 0 if newest is None else int(newest["last"])


async def _newest(database: MongoDatabase) -> Document | None:
    with store_errors():
        found = database.collection("log").find({}, {"last": 1, "intake": 1})
        newest = await found.sort("_id", -1).limit(1).to_list()
    return newest[0] if newest else None


class SequenceShelf:
    """The end of the log, and of the intake, as its last document tells them."""

    kind = SEQUENCES

    async def count(self, database: MongoDatabase) -> int:
        """See `Shelf`."""
        return 2

    async def read(self, database: MongoDatabase, after: Cursor) -> Page:
        """See `Shelf`."""
        newest = await _newest(database) or {"last": 0, "intake": 0}
        records: list[Record] = [("commits", newest["last"]), ("intake", newest["intake"])]
        return Page([] if after else records, ("intake",), more=False)

    async def write(self, database: MongoDatabase, records: Sequence[Record]) -> None:
        """See `Shelf`: always both of them."""
        last = {str(name): value for name, value in records}
        end = last["commits"]
        document = {"_id": end, "last": end, "intake": last["intake"], "told": [], **_NOTHING}
        await put_all(database.collection("log"), [document])


class OutboxShelf:
    """What the relay has yet to read."""

    kind = OUTBOX

    async def count(self, database: MongoDatabase) -> int:
        """See `Shelf`."""
        passed, count = await _passed(database), 0
        with store_errors():
            async for group in database.collection("log").find({}, {"told": 1}):
                count += sum(1 for _ in _wanted(group, passed))
        return count

    async def read(self, database: MongoDatabase, after: Cursor) -> Page:
        """See `Shelf`."""
        passed = await _passed(database)
        groups, place, more = await following(database.collection("log"), after, {}, _GROUPS)
        found = [each for group in groups for each in _wanted(group, passed)]
        names = sorted({told["execution"] for _, told in found if "execution" in told})
        executions = await _executions(database, names)
        records = [
            await _record_of(database, position, told, executions) for position, told in found
        ]
        return Page(records, place, more)

    async def write(self, database: MongoDatabase, records: Sequence[Record]) -> None:
        """See `Shelf`."""
        end = await end_of(database)
        told = [(each[0], await _told_of(database, each), size_of(each)) for each in records]
        log = database.collection("log")
        before = [each for each in told if each[0] != end]
        await put_all(log, list(_documents(before)))
        for position, entry, _ in told[len(before) :]:
            with store_errors():
                await log.update_one({"_id": position}, {"$set": {"told": [entry]}})


def _documents(told: Sequence[tuple[Value, Document, int]]) -> Iterator[Document]:
    """Make documents of the log, with nothing where a position is empty."""
    entries: list[Document] = []
    first = size = 0
    for position, entry, bytes_of_it in told:
        place = number_of(position)
        gap = place - first - len(entries)
        if entries and (len(entries) + gap >= GROUP or size + bytes_of_it > BYTES):
            yield _document(first, entries)
            entries, size = [], 0
        if not entries:
            first, gap = place, 0
        entries += [{} for _ in range(gap)]
        entries.append(entry)
        size += bytes_of_it
    if entries:
        yield _document(first, entries)


def _document(first: int, told: Sequence[Document]) -> Document:
    last = first + len(told) - 1
    return {"_id": first, "last": last, "intake": 0, "told": told, **_NOTHING}


async def _told_of(database: MongoDatabase, record: Record) -> Document:
    position, execution, first, at, version, events, references, *about = record
    if execution is None:
        return {"at": at, "events": events}
    return {
        "execution": execution,
        "first": first,
        "at": at,
        "version": version,
        "references": references,
        **await kept_events(database, execution, position, events),
        "about": about[:3],
        "whose": about[3:5],
        "started_at": about[5],
    }


def _wanted(group: Document, passed: int) -> Iterator[tuple[int, Document]]:
    for position, told in enumerate(group["told"], group["_id"]):
        if told and ("execution" not in told or position > passed):
            yield position, told


async def _passed(database: MongoDatabase) -> int:
    with store_errors():
        found = await database.collection("checkpoints").find().to_list()
    return min((each["position"] for each in found), default=0)


async def _executions(database: MongoDatabase, names: Sequence[str]) -> dict[str, Document]:
    if not names:
        return {}
    members = dict.fromkeys(_ABOUT, 1)
    with store_errors():
        found = database.collection("executions").find({"_id": {"$in": list(names)}}, members)
        return {each["_id"]: each async for each in found}


async def _record_of(
    database: MongoDatabase, position: int, told: Document, executions: dict[str, Document]
) -> Record:
    if "execution" not in told:
        nobody = (None,) * len(_ABOUT)
        return (position, None, _OUTSIDE, told["at"], _OUTSIDE, told["events"], None, *nobody)
    # As its execution is now: that is what SQLite knows of it.
    about = executions.get(told["execution"], {})
    return (
        position,
        told["execution"],
        told["first"],
        told["at"],
        told["version"],
        await events_data(database, told),
        told["references"],
        *(about.get(name) for name in _ABOUT),
    )
