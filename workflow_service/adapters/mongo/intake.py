"""The intake of events in MongoDB: its order is that of the log that everything goes through."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

import msgspec

from chassis.storage.mongo import Document, MongoDatabase, store_errors
from workflow_service.adapters.bells import IntakeBell
from workflow_service.adapters.columns import moment_of
from workflow_service.adapters.mongo.journal import Journal
from workflow_service.application.event_ports import Arrived
from workflow_service.application.ports import InboundEvent
from workflow_service.application.projections.inbound import received

PATIENCE: Final = 0.5
"""Seconds after which the intake is looked at again although nobody has rung: other processes write as well."""
BYTES: Final = 8 * 1024 * 1024
"""Of events that are read at once, unless a single one has more."""

_decoder = msgspec.json.Decoder(InboundEvent)


class MongoIntake:
    """The ``Intake`` port on a ``MongoDatabase``.

    Args:
        database: with the collections of ``schema.MIGRATIONS``.
        journal: sees to it that nothing is still to come before an event that is read.
        bell: rung when there is more, by this process.
    """

    def __init__(self, database: MongoDatabase, journal: Journal, *, bell: IntakeBell) -> None:
        self._journal = journal
        self._events = database.collection("intake")
        self._readers = database.collection("intake_readers")
        self._bell = bell

    async def read(self, after: int, limit: int, tenant: str | None = None) -> Sequence[Arrived]:
        """Return events above the position *after*, perhaps of one tenant only."""
        if not await self._journal.barrier.arrivals(after):
            return []
        which: Document = {"_id": {"$gt": after}}
        if tenant is not None:
            which["tenant"] = tenant
        found: list[Document] = []
        size = 0
        with store_errors():
            async for each in self._events.find(which).sort("_id").limit(limit):
                found.append(each)
                size += len(each["event"])
                if size > BYTES:
                    break
        return [_arrived(each) for each in found]

    async def end(self) -> int:
        """Return the highest position so far."""
        return await self._journal.barrier.arrived()

    async def owners(self, after: int, limit: int) -> Sequence[tuple[int, str]]:
        """Return position and tenant of the events above *after*."""
        if not await self._journal.barrier.arrivals(after):
            return []
        with store_errors():
            cursor = self._events.find({"_id": {"$gt": after}}, {"tenant": 1}).sort("_id")
            found = await cursor.limit(limit).to_list()
        return [(each["_id"], each["tenant"]) for each in found]

    async def load_checkpoint(self, reader: str) -> int:
        """Return what *reader* saved last; from then on nothing beyond that is deleted."""
        with store_errors():
            known = await self._readers.find_one({"_id": reader})
            if known is not None:
                return int(known["position"])
            place = await self._before_the_first()
            change = {"$setOnInsert": {"position": place}}
            await self._readers.update_one({"_id": reader}, change, upsert=True)
        return place

    async def save_checkpoint(self, reader: str, position: int) -> None:
        """Remember *position*, and delete what all readers have passed."""
        with store_errors():
            change = {"$max": {"position": position}}
            await self._readers.update_one({"_id": reader}, change, upsert=True)
            places = await self._readers.find({}, {"position": 1}).to_list()
            passed = min(each["position"] for each in places)
            await self._events.delete_many({"_id": {"$lte": passed}})

    async def wait(self, after: int) -> None:
        """Return when there may be more, or after a while."""
        rung = self._bell.next
        if await self.owners(after, 1):
            return
        try:
            async with asyncio.timeout(PATIENCE):
                await rung.wait()
        except TimeoutError:
            return

    async def _before_the_first(self) -> int:
        # Asked first: what comes while the first one is looked for belongs to the reader.
        end = await self.end()
        _ = await self._journal.barrier.arrivals(0)
        first = await self._events.find({}, {"_id": 1}).sort("_id").limit(1).to_list()
        return first[0]["_id"] - 1 if first else end


def _arrived(document: Document) -> Arrived:
    event = _decoder.decode(document["event"])
    at = moment_of(document["at"])
    return Arrived(document["tenant"], received(event, document["_id"], at))
