"""What is too large for one document: the server takes 16 MiB."""

from __future__ import annotations

from typing import Final

from chassis.storage.mongo import MongoDatabase, store_errors

PART: Final = 8 * 1024 * 1024
"""Bytes of one part."""
_COLLECTION: Final = "event_parts"


async def put_aside(database: MongoDatabase, execution: str, token: str, data: bytes) -> int:
    """Store *data* under *token*, in as many parts as it takes, which are returned; again, it changes nothing."""
    parts = database.collection(_COLLECTION)
    starts = range(0, len(data), PART)
    for number, start in enumerate(starts):
        part = {"execution": execution, "data": data[start : start + PART]}
        with store_errors():
            await parts.update_one({"_id": f"{token}/{number:06}"}, {"$set": part}, upsert=True)
    return len(starts)


async def taken_back(database: MongoDatabase, token: str) -> bytes:
    """Return what ``put_aside`` stored."""
    which = {"_id": {"$gte": f"{token}/", "$lt": f"{token}0"}}
    with store_errors():
        parts = await database.collection(_COLLECTION).find(which).sort("_id").to_list()
    return b"".join(part["data"] for part in parts)


async def forget(database: MongoDatabase, token: str) -> None:
    """Delete it."""
    which = {"_id": {"$gte": f"{token}/", "$lt": f"{token}0"}}
    with store_errors():
        await database.collection(_COLLECTION).delete_many(which)
