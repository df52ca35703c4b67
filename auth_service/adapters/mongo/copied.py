"""How each kind of records is kept in the collections; `schema` says what differs from a table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from auth_service.adapters.sqlite.copied import COUNTED, SEQUENCES, TABLES
from chassis.storage.copying.documents import Documents, Shelf, put_all
from chassis.storage.copying.records import Cursor, Kind, Page, Record, Value
from chassis.storage.keys import key_of
from chassis.storage.mongo import Document, MongoDatabase, store_errors

_WORDS: Final = {
    "users": ("roles",),
    "sessions": ("amr",),
    "api_keys": ("permissions", "allowed_ips"),
    "roles": ("permissions", "parents"),
    "policy_versions": ("actions",),
}
"""Columns that are texts in a table and lists of words here."""
_WHICH: Final[Mapping[str, Document]] = {"role_books": {"version": {"$gt": 0}}}
_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)


class SequenceShelf:
    """The last positions, which counters have."""

    kind = SEQUENCES

    async def count(self, database: MongoDatabase) -> int:
        """See `Shelf`."""
        return len(COUNTED)

    async def read(self, database: MongoDatabase, after: Cursor) -> Page:
        """See `Shelf`."""
        with store_errors():
            found = database.collection("counters").find({"_id": {"$in": list(COUNTED)}})
            last = {each["_id"]: each["last"] async for each in found}
        records: list[Record] = [(name, last.get(name, 0)) for name in COUNTED]
        return Page([] if after else records, COUNTED[-1:], more=False)

    async def write(self, database: MongoDatabase, records: Sequence[Record]) -> None:
        """See `Shelf`."""
        counters = [{"_id": name, "last": last} for name, last in records]
        await put_all(database.collection("counters"), counters)


@dataclass(frozen=True, kw_only=True)
class Tokens(Documents):
    """Refresh tokens, which here say whose they are: as the sessions do, which are there before."""

    async def write(self, database: MongoDatabase, records: Sequence[Record]) -> None:
        """See `Shelf`."""
        documents = [self.document_of(each) for each in records]
        ids = sorted({each["session_id"] for each in documents})
        with store_errors():
            sessions = database.collection("sessions").find({"_id": {"$in": ids}}, {"user_id": 1})
            users = {each["_id"]: each["user_id"] async for each in sessions}
        owned = [each | {"user_id": users.get(each["session_id"], "")} for each in documents]
        await put_all(self.found_in(database), owned)


def _shelf(kind: Kind) -> Documents:
    words = _WORDS.get(kind.name, ())
    members = kind.columns[1:] if kind.keys == 1 else kind.columns

    def document_of(record: Record) -> Document:
        told = dict(zip(kind.columns, record, strict=True))
        listed = {name: str(told[name]).split() for name in words}
        return {"_id": _id_of(kind, record)} | {name: told[name] for name in members} | listed

    def record_of(document: Document) -> Record:
        joined = {name: " ".join(document[name]) for name in words}
        key = {kind.columns[0]: document["_id"]} if kind.keys == 1 else {}
        told = document | key | joined
        return tuple(told[name] for name in kind.columns)

    make = Tokens if kind.name == "refresh_tokens" else Documents
    which = _WHICH.get(kind.name, {})
    return make(kind=kind, document_of=document_of, record_of=record_of, which=which)


def _id_of(kind: Kind, record: Record) -> Value:
    if kind.keys == 1:
        return record[0]
    key = kind.key(record)
    return key_of(*(each.hex() if isinstance(each, bytes) else str(each) for each in key))


def _feed(kind: Kind) -> Documents:
    """The feed of revocations: a later entry about the same takes the place of an earlier one."""

    def document_of(record: Record) -> Document:
        told = dict(zip(kind.columns, record, strict=True))
        return {"_id": key_of(str(told["kind"]), str(told["subject"])), **told}

    def record_of(document: Document) -> Record:
        return tuple(document[name] for name in kind.columns)

    return Documents(kind=kind, document_of=document_of, record_of=record_of)


def _footprints(kind: Kind) -> Documents:
    """Footprints that no process will tell of any more: they are as old as can be."""

    def document_of(record: Record) -> Document:
        return {"_id": record[0], "facts": record[1], "at": _LONG_AGO}

    def record_of(document: Document) -> Record:
        return (document["_id"], document["facts"])

    return Documents(kind=kind, document_of=document_of, record_of=record_of)


_SPECIAL: Final = {"revocation_feed": _feed, "audit_footprints": _footprints}

SHELVES: Final[Sequence[Shelf]] = (
    SequenceShelf(),
    *(_SPECIAL.get(name, _shelf)(kind) for name, kind in TABLES.items()),
)
"""In the order in which they are written."""
