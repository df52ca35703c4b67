"""Who waits for which events, in MongoDB: changed by the commits of those who wait."""

from __future__ import annotations

from collections.abc import Sequence

from chassis.storage.mongo import Document, MongoDatabase, store_errors
from workflow_service.adapters.mongo.journal import Journal
from workflow_service.application.event_ports import Waiting
from workflow_service.domain.execution.listening import Shape


class MongoSubscriptions:
    """The ``Subscriptions`` port on a ``MongoDatabase``."""

    def __init__(self, database: MongoDatabase, journal: Journal) -> None:
        self._journal = journal
        self._subscriptions = database.collection("subscriptions")

    async def shapes(self, tenant: str, type: str) -> Sequence[Shape]:
        """Return the filters by which somebody waits for events of *type*, or of any."""
        await self._journal.barrier.flush()
        found: list[Shape] = []
        for kind in (type, "") if type else ("",):
            which = {"tenant": tenant, "type": kind}
            with store_errors():
                texts = await self._subscriptions.distinct("shape", which)
            found += [Shape.parse(text) for text in sorted(texts)]
        return found

    async def waiting(
        self,
        tenant: str,
        type: str,
        shape: Shape,
        key: str,
        position: int,
        after: Waiting | None,
        limit: int,
    ) -> Sequence[Waiting]:
        """Return who waits by a filter, found by *key* or by none."""
        await self._journal.barrier.flush()
        which: Document = {
            "tenant": tenant,
            "type": {"$in": [type, ""]},
            "shape": str(shape),
            "key": {"$in": [key, ""]},
            "since": {"$lt": position},
        }
        if after is not None:
            same = {"execution": after.execution, "frame": {"$gt": after.frame}}
            which["$or"] = [same, {"execution": {"$gt": after.execution}}]
        members = {"execution": 1, "frame": 1, "number": 1}
        with store_errors():
            cursor = self._subscriptions.find(which, members)
            rows = await cursor.sort([("execution", 1), ("frame", 1)]).limit(limit).to_list()
        return [Waiting(row["execution"], row["frame"], row["number"]) for row in rows]

    async def count(self, tenant: str, limit: int) -> int:
        """Return how many subscriptions *tenant* has, *limit* at the most."""
        await self._journal.barrier.flush()
        with store_errors():
            return await self._subscriptions.count_documents({"tenant": tenant}, limit=limit)
