"""Deletes from MongoDB what has had its time, in pieces so small that nobody else waits for long."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from chassis.storage.mongo import Document, MongoDatabase, store_errors
from workflow_service.adapters.columns import micros
from workflow_service.adapters.mongo.event_log import MongoEventLog
from workflow_service.adapters.mongo.journal import Journal
from workflow_service.adapters.mongo.parts import forget
from workflow_service.adapters.mongo.payloads import drop_uses

_IDS: Final = {"_id": 1}


class MongoRetention:
    """The ``Retention`` port on a ``MongoDatabase``.

    Args:
        database: with the collections of ``schema.MIGRATIONS``.
        journal: told of what is deleted.
        log: knows how far the relay has come.
    """

    def __init__(self, database: MongoDatabase, journal: Journal, log: MongoEventLog) -> None:
        self._database = database
        self._journal = journal
        self._log = log

    async def forget_ended(self, before: datetime, limit: int) -> int:
        """Make executions unfindable that ended before *before*."""
        await self._journal.barrier.settle()
        which = {
            "ended_at": {"$gt": 0, "$lt": micros(before)},
            "position": {"$lte": await self._relayed()},
        }
        executions = self._database.collection("executions")
        with store_errors():
            names = await self._ids("executions", which, "ended_at", limit)
            if not names:
                return 0
            forgotten = self._database.collection("forgotten")
            for name in names:
                await forgotten.update_one({"_id": name}, {"$set": {"executions": 1}}, upsert=True)
            # One that was taken up again meanwhile has not ended any more.
            await executions.delete_many({"_id": {"$in": names}, **which})
            kept = await self._ids("executions", {"_id": {"$in": names}}, "_id", limit)
            await forgotten.delete_many({"_id": {"$in": kept}})
            gone = [name for name in names if name not in kept]
            await self._database.collection("snapshots").delete_many({"_id": {"$in": gone}})
        self._journal.forget(gone)
        return len(names)

    async def purge(self, limit: int) -> int:
        """Delete up to *limit* commits and large values of what was forgotten."""
        deleted = 0
        with store_errors():
            names = await self._ids("forgotten", {}, "_id", 100)
            for name in names:
                deleted += await self._purge(name, limit - deleted)
                if deleted >= limit:
                    return deleted
                await self._database.collection("forgotten").delete_one({"_id": name})
        return deleted

    async def drop_keys(self, now: datetime, limit: int) -> int:
        """Delete idempotency keys that have expired."""
        await self._journal.barrier.flush()
        old = {"expires_at": {"$lte": micros(now)}}
        return await self._drop("idempotency_keys", old, "expires_at", limit)

    async def drop_inbound(self, before: datetime, limit: int) -> int:
        """Delete events from outside that came before *before*, the memory of them, and what the log is done with."""
        await self._journal.barrier.settle()
        old = {"at": {"$lt": micros(before)}}
        with store_errors():
            readers = self._database.collection("intake_readers")
            places = [each["position"] for each in await readers.find().to_list()]
        passed = {"_id": {"$lte": min(places)}} if places else {}
        dropped = await self._drop("intake", old | passed, "_id", limit)
        dropped += await self._drop("seen", old, "at", limit)
        return dropped + await self._shorten(micros(before), limit)

    async def compact(self, pages: int) -> int:
        """Nothing: the server uses its free room again by itself."""
        return 0

    async def _purge(self, name: str, limit: int) -> int:
        """Delete up to *limit* pieces of one history."""
        history = {"execution": name}
        deleted = await self._drop("commits", history, "last", limit)
        if deleted < limit:
            deleted += await self._drop("event_parts", history, "_id", limit - deleted)
        if deleted < limit:
            deleted += await drop_uses(self._database, name, limit - deleted)
        return deleted

    async def _shorten(self, before: int, limit: int) -> int:
        """Delete what the relay has passed; the last document of the log stays, since positions go on from it."""
        log = self._database.collection("log")
        done = min(await self._relayed(), self._journal.barrier.settled)
        late = {"$not": {"$gte": before}}
        # What others have to learn from it counts as much as what it tells the relay: who owns an execution now, for example.
        old = {"last": {"$lte": done}, "at": late, "told.at": late}
        with store_errors():
            newest = await log.find({}, _IDS).sort("_id", -1).limit(1).to_list()
            if not newest:
                return 0
            place = newest[0]["_id"]
            emptied = await log.update_one(
                {"_id": place, "told.0": {"$exists": True}, **old},
                {
                    "$set": {
                        "told": [],
                        "tips": [],
                        "keys": [],
                        "seen": [],
                        "writes": b"",
                        "emptied": 1,
                    }
                },
            )
        behind = old | {"_id": {"$lt": place}}
        with store_errors():
            large = await log.find(behind | {"parts": {"$gt": 0}}, {"by": 1}).limit(limit).to_list()
        for each in large:
            await forget(self._database, each["by"])
        dropped = await self._drop("log", behind, "last", limit)
        return dropped + emptied.modified_count

    async def _relayed(self) -> int:
        """Return the position up to which every event was published, or is wanted by nobody."""
        with store_errors():
            found = await self._database.collection("checkpoints").find().to_list()
        checkpoint = min((each["position"] for each in found), default=0)
        after, unwanted_to = self._log.passed
        return max(checkpoint, unwanted_to) if after <= checkpoint else checkpoint

    async def _drop(self, collection: str, which: Document, order: str, limit: int) -> int:
        with store_errors():
            keys = await self._ids(collection, which, order, limit)
            if not keys:
                return 0
            chosen = {"$and": [{"_id": {"$in": keys}}, which]}
            result = await self._database.collection(collection).delete_many(chosen)
        return result.deleted_count

    async def _ids(self, collection: str, which: Document, order: str, limit: int) -> list[str]:
        cursor = self._database.collection(collection).find(which, _IDS).sort(order).limit(limit)
        return [each["_id"] for each in await cursor.to_list()]
