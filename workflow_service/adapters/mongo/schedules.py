"""Schedules in MongoDB: a small document each, changed by whoever saw its last revision."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec
from pymongo.errors import DuplicateKeyError

from chassis.storage.keys import key_of
from chassis.storage.mongo import Document, MongoDatabase, store_errors
from workflow_service.adapters.columns import maybe_micros, maybe_moment, micros
from workflow_service.application.schedule_ports import (
    KeptSchedule,
    ScheduleKey,
    ScheduleRecord,
)
from workflow_service.domain.schedules.model import On

_BY_KEY: Final = [("tenant", 1), ("namespace", 1), ("name", 1)]
_encode = msgspec.json.Encoder().encode
_records = msgspec.json.Decoder(ScheduleRecord)


class MongoSchedules:
    """The ``Schedules`` port on a ``MongoDatabase``."""

    def __init__(self, database: MongoDatabase) -> None:
        self._schedules = database.collection("schedules")

    async def get(self, key: ScheduleKey) -> KeptSchedule | None:
        """Return one."""
        found = await self._kept({"_id": key_of(*key)}, [("_id", 1)], 1)
        return found[0] if found else None

    async def put(self, record: ScheduleRecord, revision: int) -> bool:
        """See the port."""
        values = {
            "record": _encode(record),
            "due_at": maybe_micros(record.due_at),
            "listens": 1 if isinstance(record.schedule.trigger, On) else None,
        }
        document = record.key._asdict() | {"_id": key_of(*record.key), "revision": revision + 1}
        document |= {name: value for name, value in values.items() if value is not None}
        with store_errors():
            if revision == 0:
                return await self._added(document)
            which = {"_id": document["_id"], "revision": revision}
            return (await self._schedules.replace_one(which, document)).matched_count == 1

    async def remove(self, key: ScheduleKey, revision: int) -> bool:
        """See the port."""
        which = {"_id": key_of(*key), "revision": revision}
        with store_errors():
            return (await self._schedules.delete_one(which)).deleted_count == 1

    async def list(
        self, tenant: str, after: tuple[str, str], limit: int
    ) -> Sequence[ScheduleRecord]:
        """See the port."""
        which = {"tenant": tenant, **_behind(after)}
        return [each.record for each in await self._kept(which, _BY_KEY, limit)]

    async def count(self, tenant: str, limit: int) -> int:
        """See the port."""
        with store_errors():
            return await self._schedules.count_documents({"tenant": tenant}, limit=limit)

    async def due(self, now: datetime, limit: int) -> Sequence[KeptSchedule]:
        """See the port."""
        which = {"due_at": {"$gt": 0, "$lte": micros(now)}}
        return await self._kept(which, [("due_at", 1)], limit)

    async def next_due(self) -> datetime | None:
        """See the port."""
        with store_errors():
            cursor = self._schedules.find({"due_at": {"$gt": 0}}, {"due_at": 1}).sort("due_at")
            found = await cursor.limit(1).to_list()
        return maybe_moment(found[0]["due_at"] if found else None)

    async def listening(
        self, tenant: str, after: tuple[str, str], limit: int
    ) -> Sequence[KeptSchedule]:
        """See the port."""
        which = {"listens": {"$gt": 0}, "tenant": tenant, **_behind(after)}
        return await self._kept(which, _BY_KEY, limit)

    async def everybodys(self, after: ScheduleKey, limit: int) -> Sequence[KeptSchedule]:
        """See the port."""
        own = {"tenant": after.tenant, **_behind((after.namespace, after.name))}
        which = {"$or": [own, {"tenant": {"$gt": after.tenant}}]}
        return await self._kept(which, _BY_KEY, limit)

    async def _kept(
        self, which: Document, order: Sequence[tuple[str, int]], limit: int
    ) -> Sequence[KeptSchedule]:
        with store_errors():
            found = await self._schedules.find(which).sort(order).limit(limit).to_list()
        return [KeptSchedule(_records.decode(each["record"]), each["revision"]) for each in found]

    async def _added(self, document: Document) -> bool:
        try:
            await self._schedules.insert_one(document)
        except DuplicateKeyError:
            return False
        return True


def _behind(place: tuple[str, str]) -> Document:
    namespace, name = place
    same = {"namespace": namespace, "name": {"$gt": name}}
    return {"$or": [same, {"namespace": {"$gt": namespace}}]}
