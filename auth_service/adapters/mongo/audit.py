"""The audit trail on MongoDB.

Nobody appends to a chain but with its head: each transaction reads the head of its tenant and writes it, so of two that go on
from the same one the later begins again.
"""

import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Final

import msgspec

from auth_service.adapters.chains import (
    Marked,
    further,
    kept,
    stored,
    stored_in,
    walk_from,
)
from auth_service.adapters.mongo.ledger import MongoEntry, MongoLedger
from auth_service.adapters.times import micros
from auth_service.application.ports.audit import AuditFilter, Checkpoint, KeptEntry, Verdict
from auth_service.domain.audit import (
    BEGINNING,
    SALT_BYTES,
    Broken,
    ChainKeys,
    Place,
    chained,
    mark_of,
)
from chassis.audit import AuditEntry
from chassis.storage.companions import Transaction, alone, on_mongo
from chassis.storage.keys import key_of
from chassis.storage.mongo import (
    Collection,
    Document,
    MongoDatabase,
    MongoTransaction,
    store_errors,
)

ENTRIES: Final = "audit"
HEADS: Final = "audit_heads"
ANCHORS: Final = "audit_anchors"

_VERIFIED_AT_ONCE: Final = 2_000
# The more a transaction changes, the longer it keeps others waiting.
_KEPT_AT_ONCE: Final = 100
_PURGED_AT_ONCE: Final = 1_000


class MongoAuditReader:
    """What is asked of the trail in *database*."""

    def __init__(self, database: MongoDatabase, keys: ChainKeys) -> None:
        self._database = database
        self._keys = keys

    async def find(
        self, wanted: AuditFilter, *, before: int | None, limit: int
    ) -> Sequence[KeptEntry]:
        """See the port."""
        with store_errors():
            found = self._of(ENTRIES).find(_query(wanted, before)).sort("sequence", -1)
            return [kept(stored_in(each)) async for each in found.limit(limit)]

    async def verify(self, tenant: str, checkpoints: Sequence[Checkpoint]) -> Verdict:
        """See the port."""
        while True:
            with store_errors():
                anchor = await self._anchor(tenant)
                verdict = await self._walked(tenant, checkpoints)
                # A purge meanwhile takes away what was still to be seen.
                if verdict.broken is None or anchor == await self._anchor(tenant):
                    return verdict

    async def owners(self) -> set[str]:
        """Whose entries, heads and anchors there are."""
        found: set[str] = set()
        with store_errors():
            for name, member in ((ENTRIES, "tenant"), (HEADS, "_id"), (ANCHORS, "tenant")):
                found.update(await self._of(name).distinct(member))
        return found

    async def _walked(self, tenant: str, checkpoints: Sequence[Checkpoint]) -> Verdict:
        head = _marked(await self._of(HEADS).find_one({"_id": tenant}))
        anchor = await self._anchor(tenant)
        walk = walk_from(self._keys, tenant, checkpoints, anchor=anchor, head=head)
        if isinstance(walk, Broken):
            return Verdict(tenant, 0, 0, 0, 0, walk)
        while True:
            behind = {"tenant": tenant, "sequence": {"$gt": walk.place.sequence}}
            found = self._of(ENTRIES).find(behind).sort("sequence").limit(_VERIFIED_AT_ONCE)
            rows = [stored_in(each) async for each in found]
            more = len(rows) == _VERIFIED_AT_ONCE
            if (done := further(walk, tenant, rows, more=more)) is not None:
                return done

    async def _anchor(self, tenant: str) -> Marked | None:
        latest = [("sequence", -1)]
        return _marked(await self._of(ANCHORS).find_one({"tenant": tenant}, sort=latest))

    def _of(self, name: str) -> Collection:
        return self._database.collection(name)


class MongoAuditTrail(MongoAuditReader):
    """The port `AuditTrail`, and a `chassis.audit.recorder.Sink`."""

    def __init__(self, ledger: MongoLedger, keys: ChainKeys) -> None:
        super().__init__(ledger.database, keys)
        self._ledger = ledger

    async def keep(self, entries: Sequence[AuditEntry]) -> None:
        """See the port."""
        with alone():  # what is told needs no telling
            for start in range(0, len(entries), _KEPT_AT_ONCE):
                some = entries[start : start + _KEPT_AT_ONCE]
                await self._ledger.write(partial(_append_new, self._keys, some))

    def keep_within(self, transaction: Transaction, entry: AuditEntry) -> None:
        """See `Sink.keep_within`."""
        within = on_mongo(transaction)
        # It was made for this write, so nobody has brought it before.
        within.at_the_end(partial(_append, self._keys, (entry,), within))

    async def checkpoint(self) -> Sequence[tuple[str, Place]]:
        """See the port."""
        with store_errors():
            return [(each["_id"], _place(each)) async for each in self._of(HEADS).find()]

    async def purge(self, before: datetime) -> int:
        """See the port."""
        with store_errors():
            tenants = await self._of(HEADS).distinct("_id")
        purged = 0
        for tenant in tenants:
            work = partial(_purge, self._keys, tenant, micros(before))
            while some := await self._ledger.write(work):
                purged += some
        return purged


async def erase_in_trail(entry: MongoEntry, tenant: str, user_id: str) -> None:
    """Take out of the trail what it says about somebody beyond their id; the chain still holds."""
    await entry.collection(ENTRIES).update_many(
        {"tenant": tenant, "actor": user_id, "salt": {"$ne": None}},
        {"$set": {"address": "", "personal": "{}", "salt": None}},
        session=entry.session,
    )


async def _append_new(keys: ChainKeys, entries: Sequence[AuditEntry], within: MongoEntry) -> None:
    """Append those of *entries* that are not there yet."""
    ids = {"id": {"$in": [entry.id for entry in entries]}}
    known = within.collection(ENTRIES).find(ids, {"id": 1}, session=within.session)
    seen: set[str] = {each["id"] async for each in known}
    new = {entry.id: entry for entry in entries if entry.id not in seen}
    if new:
        await _append(keys, list(new.values()), within)


async def _append(
    keys: ChainKeys, entries: Sequence[AuditEntry], within: MongoEntry | MongoTransaction
) -> None:
    heads = await _heads(within, {entry.tenant for entry in entries})
    documents: list[Document] = []
    for entry in entries:
        after = heads.get(entry.tenant, BEGINNING)
        row = chained(keys.links, entry, after, os.urandom(SALT_BYTES))
        key = key_of(entry.tenant, str(row.sequence))
        documents.append({"_id": key, **msgspec.structs.asdict(stored(row))})
        heads[entry.tenant] = row.place
    await within.collection(ENTRIES).insert_many(documents, session=within.session)
    await _save(keys, within, heads)


async def _heads(within: MongoEntry | MongoTransaction, tenants: set[str]) -> dict[str, Place]:
    which = {"_id": {"$in": sorted(tenants)}}
    found = within.collection(HEADS).find(which, session=within.session)
    return {each["_id"]: _place(each) async for each in found}


async def _save(
    keys: ChainKeys, within: MongoEntry | MongoTransaction, heads: Mapping[str, Place]
) -> None:
    for tenant, place in heads.items():
        mark = mark_of(keys, "head", tenant, place)
        head = {"sequence": place.sequence, "link": place.link, "mark": mark}
        await within.collection(HEADS).replace_one(
            {"_id": tenant}, head, upsert=True, session=within.session
        )


async def _purge(keys: ChainKeys, tenant: str, before: int, entry: MongoEntry) -> int:
    """Purge some entries that are older than *before*, and anchor the chain behind them."""
    audit, session = entry.collection(ENTRIES), entry.session
    oldest = audit.find(
        {"tenant": tenant}, {"sequence": 1, "at": 1, "link": 1}, session=session
    ).sort("sequence")
    last: Document | None = None
    # Times need not ascend, since entries of other services come later: only what is all old goes.
    async for each in oldest.limit(_PURGED_AT_ONCE):
        if each["at"] >= before:
            break
        last = each
    if last is None:
        return 0
    place = _place(last)
    await entry.collection(ANCHORS).insert_one(
        {
            "_id": key_of(tenant, str(place.sequence)),
            "tenant": tenant,
            "sequence": place.sequence,
            "link": place.link,
            "mark": mark_of(keys, "anchor", tenant, place),
        },
        session=session,
    )
    gone = {"tenant": tenant, "sequence": {"$lte": place.sequence}}
    return (await audit.delete_many(gone, session=session)).deleted_count


def _query(wanted: AuditFilter, before: int | None) -> Document:
    named = ("actor", "action", "target", "outcome", "address")
    query: Document = {name: value for name in named if (value := getattr(wanted, name))}
    bounds = {"$gte": wanted.since, "$lt": wanted.until}
    if any(bounds.values()):
        query["at"] = {name: micros(at) for name, at in bounds.items() if at is not None}
    if before is not None:
        query["sequence"] = {"$lt": before}
    return {"tenant": wanted.tenant, **query}


def _place(document: Document) -> Place:
    return Place(document["sequence"], bytes(document["link"]))


def _marked(document: Document | None) -> Marked | None:
    return None if document is None else Marked(_place(document), bytes(document["mark"]))
