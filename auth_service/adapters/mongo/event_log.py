"""The outbox as the relay reads it. It is written through `auth_service.adapters.mongo.ledger`."""

from collections.abc import Sequence
from typing import Final

import msgspec

from auth_service.adapters.bells import Tide
from auth_service.adapters.mongo.ledger import OUTBOX
from chassis.messaging.port import CloudEvent
from chassis.storage.mongo import MongoDatabase, store_errors

_POLL: Final = 1.0

_decode = msgspec.json.Decoder(CloudEvent).decode


class MongoEventLog:
    """A position is an event's place in the order of commits."""

    def __init__(self, database: MongoDatabase, tide: Tide) -> None:
        self._events = database.collection(OUTBOX)
        self._checkpoints = database.collection("outbox_checkpoints")
        self._tide = tide

    async def read_log(self, after: int, limit: int) -> Sequence[tuple[int, CloudEvent]]:
        """The events behind position *after*, oldest first, at most *limit*."""
        with store_errors():
            found = self._events.find({"_id": {"$gt": after}}).sort("_id").limit(limit)
            return [(each["_id"], _decode(each["event"])) async for each in found]

    async def load_checkpoint(self, name: str) -> int:
        """How far the reader called *name* has come; 0 before its first event."""
        with store_errors():
            found = await self._checkpoints.find_one({"_id": name})
        return 0 if found is None else int(found["position"])

    async def save_checkpoint(self, name: str, position: int) -> None:
        """Note that *name* has passed on everything up to *position*; never sets it back."""
        with store_errors():
            await self._checkpoints.update_one(
                {"_id": name}, {"$max": {"position": position}}, upsert=True
            )

    async def wait_for_log(self, after: int) -> None:
        """Until there may be events behind *after*; returns now and then for nothing."""
        await self._tide.above(after, seconds=_POLL)

    async def purge(self) -> None:
        """Drop the events that every reader has passed on."""
        with store_errors():
            slowest = await self._checkpoints.find().sort("position").limit(1).to_list()
            if slowest:
                await self._events.delete_many({"_id": {"$lte": slowest[0]["position"]}})
