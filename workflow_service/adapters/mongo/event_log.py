"""The committed log as CloudEvents, for the relay."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Final

from chassis.messaging.port import CloudEvent
from chassis.storage.mongo import Document, MongoDatabase, store_errors
from workflow_service.adapters.bells import LogBell
from workflow_service.adapters.columns import maybe_moment, moment_of
from workflow_service.adapters.event_codec import decode_events
from workflow_service.adapters.mongo.payloads import LargeValues, values_of
from workflow_service.adapters.mongo.reading import events_data
from workflow_service.adapters.telling import may_tell, needles_of, told_from_outside, told_of
from workflow_service.application.projections.announcements import Announced, Wanted, required
from workflow_service.application.projections.history import About

GROUPS: Final = 50
"""How many documents of the log one reading passes at the most, wanted or not, so that it ends soon."""

PATIENCE: Final = 0.5
"""Seconds after which the log is looked at again although nobody has rung: other processes write as well."""


class MongoEventLog:
    """The relay's ``EventLog`` on a ``MongoDatabase``.

    Args:
        database: with the collections of ``schema.MIGRATIONS``.
        bell: rings after commits of this process.
        wanted: whether anybody listens to a type; all that the standard requires by default.
    """

    def __init__(
        self, database: MongoDatabase, *, bell: LogBell, wanted: Wanted = required
    ) -> None:
        self._database = database
        self._bell = bell
        self._wanted = wanted
        self._passed = (0, 0)

    @property
    def passed(self) -> tuple[int, int]:
        """Two positions: after the first one, up to the second, there is nothing that anybody wants."""
        return self._passed

    async def read_log(self, after: int, limit: int) -> Sequence[tuple[int, CloudEvent]]:
        """Return at least *limit* events beyond the position *after*, with all of their commits."""
        while True:
            start = self._passed[1] if self._passed[0] == after else after
            entries, position, groups = await self._read(start, limit)
            self._passed = (entries[-1][0] if entries else after, position)
            if entries:
                return entries
            if groups < GROUPS:
                return ()

    async def load_checkpoint(self, name: str) -> int:
        """Return what *name* saved last."""
        with store_errors():
            found = await self._database.collection("checkpoints").find_one({"_id": name})
        return 0 if found is None else int(found["position"])

    async def save_checkpoint(self, name: str, position: int) -> None:
        """Remember *position* for *name*; it never goes back, whoever is late."""
        change = {"$max": {"position": position}}
        with store_errors():
            await self._database.collection("checkpoints").update_one(
                {"_id": name}, change, upsert=True
            )

    async def wait_for_log(self, after: int) -> None:
        """Return when somebody has committed since the last wait, or after a while."""
        await self._bell.wait(PATIENCE)

    async def _read(self, after: int, limit: int) -> tuple[list[tuple[int, CloudEvent]], int, int]:
        """Return what is wanted after a position, the position that was come to, and the documents passed."""
        needles = needles_of(self._wanted)
        found: list[tuple[int, CloudEvent]] = []
        position, groups = after, 0
        members = {"told": 1, "last": 1}
        with store_errors():
            cursor = self._database.collection("log").find({"last": {"$gt": after}}, members)
            async for group in cursor.sort("last").limit(GROUPS).batch_size(4):
                groups += 1
                told = [
                    (place, each)
                    for place, each in enumerate(group["told"], group["_id"])
                    if place > position
                ]
                for place, event in await self._told(told, needles):
                    if len(found) >= limit and place > found[-1][0]:
                        return found, found[-1][0], groups
                    found.append((place, event))
                position = group["last"]
                if len(found) >= limit:
                    break
        return found, position, groups

    async def _told(
        self, told: Iterable[tuple[int, Document]], needles: Sequence[bytes]
    ) -> list[tuple[int, CloudEvent]]:
        worth = [(place, each) for place, each in told if _is_worth_reading(each, needles)]
        refer = [
            (each["execution"], each["references"]) for _, each in worth if "execution" in each
        ]
        large = await values_of(self._database, refer)
        data = await asyncio.gather(*(_data(self._database, each) for _, each in worth))
        found: list[tuple[int, CloudEvent]] = []
        for (place, each), events in zip(worth, data, strict=True):
            found += [(place, event) for event in self._events(each, events, large)]
        return found

    def _events(self, told: Document, data: bytes, large: LargeValues) -> Iterable[CloudEvent]:
        at = moment_of(told["at"])
        if "execution" not in told:
            return told_from_outside(data, at, self._wanted)
        about = About(told["execution"], *told["about"])
        tenant, owner = told["whose"]
        who = Announced(about, tenant, owner, maybe_moment(told["started_at"]))
        taken_out = large.taken_out(told["execution"], told["references"])
        events = decode_events(data, told["version"], taken_out=taken_out)
        return told_of(who, told["first"], at, events, self._wanted)


def _is_worth_reading(told: Document, needles: Sequence[bytes]) -> bool:
    if not told:
        return False
    if "execution" not in told or "token" in told:
        return True
    return may_tell(told["events"], told["version"], needles)


async def _data(database: MongoDatabase, told: Document) -> bytes:
    return await events_data(database, told)
