"""Large values: one document for each content and tenant, and one for each execution that uses it.

An execution keeps every value that it ever stored until it is deleted itself. A value is counted up whenever somebody
comes to use it, after having said so; it is deleted only as it was when nobody used it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Final

from chassis.storage.keys import key_of
from chassis.storage.mongo import Collection, Document, MongoDatabase, store_errors
from workflow_service.adapters.mongo.documents import LARGE, Fetching
from workflow_service.adapters.payloads import Fetch, Payload, TakenOut, opened
from workflow_service.adapters.payloads.references import decode_references
from workflow_service.domain.expressions import JsonValue

_PART: Final = 8 * 1024 * 1024


async def keep(
    database: MongoDatabase, tenant: str, execution: str, payloads: Sequence[Payload]
) -> tuple[int, int]:
    """Store *payloads* of an execution; return how many were new, and how many were there already."""
    new = await asyncio.gather(*(_keep(database, tenant, execution, *each) for each in payloads))
    return sum(new), len(new) - sum(new)


async def _keep(
    database: MongoDatabase, tenant: str, execution: str, digest: str, data: bytes
) -> bool:
    payload = key_of(tenant, digest)
    use = {"execution": execution, "payload": payload}
    with store_errors():
        uses, values = database.collection("payload_uses"), database.collection("payloads")
        await uses.update_one({"_id": _use(execution, digest)}, {"$set": use}, upsert=True)
        first, more = first_and_more(payload, data)
        for each in more:
            await values.replace_one({"_id": each["_id"]}, each, upsert=True)
        change = {"$setOnInsert": first, "$inc": {"users": 1}}
        result = await values.update_one({"_id": payload}, change, upsert=True)
    return result.upserted_id is not None


def first_and_more(payload: str, data: bytes) -> tuple[Document, list[Document]]:
    """Return the members of the first document of a value, and the other documents, if it takes several."""
    parts = [data[start : start + _PART] for start in range(0, len(data), _PART)]
    more = [{"_id": f"{payload}/{number}", "data": part} for number, part in enumerate(parts)]
    return {"data": parts[0], "parts": len(parts)}, more[1:]


def _use(execution: str, digest: str) -> str:
    return key_of(execution, digest)


async def drop_uses(database: MongoDatabase, execution: str, limit: int) -> int:
    """Take up to *limit* values from an execution, and delete those that no other one uses; return how many it lost."""
    uses = database.collection("payload_uses")
    with store_errors():
        found = await uses.find({"execution": execution}).limit(limit).to_list()
        for use in found:
            await uses.delete_one({"_id": use["_id"]})
            await _drop(database, use["payload"])
    return len(found)


async def _drop(database: MongoDatabase, payload: str) -> None:
    values = database.collection("payloads")
    # Who begins to use it after this look has counted it up, or stores it anew.
    found = await values.find_one({"_id": payload}, {"users": 1, "parts": 1})
    if found is None:
        return
    if await database.collection("payload_uses").find_one({"payload": payload}) is not None:
        return
    deleted = await values.delete_one({"_id": payload, "users": found["users"]})
    if deleted.deleted_count:
        more = [f"{payload}/{number}" for number in range(1, found["parts"])]
        if more:
            await values.delete_many({"_id": {"$in": more}})


class LargeValues:
    """Large values that have been read, by execution and digest."""

    def __init__(self, data: dict[tuple[str, str], bytes]) -> None:
        self._data = data
        self._opened: dict[tuple[str, str], JsonValue] = {}

    def fetching(self, execution: str) -> Fetch:
        """Return what gives the values of *execution*, each as the same object every time."""

        def fetch(digest: str) -> JsonValue:
            place = (execution, digest)
            if place not in self._opened:
                self._opened[place] = opened(digest, self._data.get(place))
            return self._opened[place]

        return fetch

    def taken_out(self, execution: str, references: bytes | None) -> TakenOut | None:
        """Return what *references* say was taken out of something of *execution*."""
        return None if references is None else TakenOut(references, self.fetching(execution))


NO_VALUES: Final = LargeValues({})


async def values_of(
    database: MongoDatabase, wanted: Iterable[tuple[str, bytes | None]]
) -> LargeValues:
    """Read every value that is referred to, given executions and their references.

    An execution finds only what it stored itself: whatever its references say, no other tenant's value is reached.
    """
    places = {
        (execution, reference.digest)
        for execution, references in wanted
        if references is not None
        for reference in decode_references(references)
    }
    if not places:
        return NO_VALUES
    with store_errors():
        keys = [_use(*place) for place in places]
        uses = await database.collection("payload_uses").find({"_id": {"$in": keys}}).to_list()
        used = {use["_id"]: use["payload"] for use in uses}
        data = await _data(database, sorted(set(used.values())))
    found = {place: data.get(used.get(_use(*place), "")) for place in places}
    return LargeValues({place: each for place, each in found.items() if each is not None})


async def _data(database: MongoDatabase, payloads: Sequence[str]) -> dict[str, bytes]:
    values = database.collection("payloads")
    found: dict[str, bytes] = {}
    async for each in values.find({"_id": {"$in": list(payloads)}}):
        found[each["_id"]] = await data_of(values, each)
    return found


async def data_of(values: Collection, first: Document) -> bytes:
    """Return the whole value that the document *first* begins."""
    parts = [first["data"]]
    for number in range(1, first["parts"]):
        part = await values.find_one({"_id": f"{first['_id']}/{number}"})
        parts.append(b"" if part is None else part["data"])
    return b"".join(parts)


async def fetching_of(database: MongoDatabase, documents: Sequence[Document]) -> Fetching:
    """Return what reads the large values of these executions' summaries."""
    wanted = [(each["_id"], each.get(name)) for each in documents for name in LARGE]
    return (await values_of(database, wanted)).fetching
