"""What entries have to know before they get a place in the log, in one round trip."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from chassis.storage.mongo import Document, MongoDatabase, store_errors
from workflow_service.adapters.mongo.entries import NOT_REMEMBERED, Entry, TakenKey, Tip, View

TAKEN: Final[Document] = {"execution": 1, "fingerprint": 1, "expires_at": 1}


def taken_key(found: Document | None) -> TakenKey | None:
    """Return what an idempotency key stands for, given the members ``TAKEN`` of its document."""
    if found is None:
        return None
    return TakenKey(found["execution"], found["fingerprint"], found["expires_at"])


async def looked_up(database: MongoDatabase, entries: Sequence[Entry], view: View) -> None:
    """Put into *view* what *entries* ask for and it does not have yet.

    Raises:
        StoreUnavailable: the store does not answer.
    """
    executions = {name for entry in entries for name in entry.executions} - view.tips.keys()
    keys = {key for entry in entries for key in entry.keys} - view.keys.keys()
    events = {event for entry in entries for event in entry.events} - view.seen
    await asyncio.gather(
        _tips(database, sorted(executions), view),
        _keys(database, sorted(keys), view),
        _seen(database, sorted(events), view),
    )


async def _tips(database: MongoDatabase, names: list[str], view: View) -> None:
    if not names:
        return
    found, forgotten = await asyncio.gather(
        _among(database, "executions", names, {"sequence": 1, "epoch": 1}),
        _among(database, "forgotten", names, {"_id": 1}),
    )
    view.tips.update(dict.fromkeys(names))
    # A history that is still being deleted: its name cannot be used again yet.
    view.tips.update((each["_id"], NOT_REMEMBERED) for each in forgotten)
    view.tips.update((each["_id"], Tip(each["sequence"], each["epoch"])) for each in found)


async def _keys(database: MongoDatabase, keys: list[str], view: View) -> None:
    for each in await _among(database, "idempotency_keys", keys, TAKEN):
        view.keys[each["_id"]] = taken_key(each)


async def _seen(database: MongoDatabase, events: list[str], view: View) -> None:
    view.seen.update(each["_id"] for each in await _among(database, "seen", events, {"_id": 1}))


async def _among(
    database: MongoDatabase, collection: str, keys: list[str], members: Document
) -> list[Document]:
    if not keys:
        return []
    with store_errors():
        return await database.collection(collection).find({"_id": {"$in": keys}}, members).to_list()
