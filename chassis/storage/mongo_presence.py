"""Which processes of a service are alive, told by a counter that each of them moves on in the shared store.

Clocks are not asked: a process counts as dead for another one that has found the same count at several looks, one after the other. So
one that was itself stopped for a while does not take the others for dead. Being wrong about it, as when somebody was merely stopped, does no
harm where what the dead one did is fenced off.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Final, Self

from chassis.errors import Unavailable
from chassis.lifecycle import undisturbed
from chassis.storage.mongo import MongoDatabase, store_errors
from chassis.telemetry.logging import get_logger

_log = get_logger("chassis.storage.presence")

EVERY: Final = 1.0
"""Seconds between two signs of life."""
SILENT_LOOKS: Final = 6
"""At how many looks a process must have given none to count as dead."""
_NODES: Final = "nodes"
_LEASES: Final = "leases"


class Presence:
    """Shows one process to the others, and watches them.

    Args:
        database: that they share.
        node: what this one is called.
    """

    def __init__(self, database: MongoDatabase, node: str) -> None:
        self.node = node
        self._database = database
        self._nodes = database.collection(_NODES)
        self._leases = database.collection(_LEASES)
        self._seen: dict[str, tuple[int, int]] = {}
        """Of each other process: its last count, and at how many looks that was the same."""

    @property
    def alive(self) -> Collection[str]:
        """The other processes that live, as far as is known here."""
        return [node for node, (_, looks) in self._seen.items() if looks < SILENT_LOOKS]

    async def dead(self) -> Collection[str]:
        """The processes that have ended or fallen silent; of one that was never looked at nobody knows.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        with store_errors():
            found = await self._nodes.find({}, {"count": 1}).to_list()
        others = {each["_id"]: each["count"] for each in found if each["_id"] != self.node}
        return [node for node, count in others.items() if self._is_dead(node, count)]

    def _is_dead(self, node: str, count: int) -> bool:
        seen, looks = self._seen.get(node, (count, 0))
        return count == 0 or (seen == count and looks >= SILENT_LOOKS)

    async def show(self) -> None:
        """Give a sign of life, and look for those of the others.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        change = {
            "$inc": {"count": 1},
            "$currentDate": {"at": True},
            "$set": {"sessions": self._database.sessions},
        }
        with store_errors():
            await self._nodes.update_one({"_id": self.node}, change, upsert=True)
            found = await self._nodes.find({"count": {"$gt": 0}}, {"count": 1}).to_list()
        before, self._seen = self._seen, {}
        for node, count in ((each["_id"], each["count"]) for each in found):
            seen, looks = before.get(node, (0, 0))
            if node != self.node:
                self._seen[node] = (count, looks + 1 if seen == count else 0)

    async def __aenter__(self) -> Self:
        await self.show()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Say that this process ends: what it leaves may be taken over at once."""
        try:
            with store_errors():
                await self._nodes.update_one({"_id": self.node}, {"$set": {"count": 0}})
        except Unavailable as failure:
            _log.warning("presence_not_ended", reason=failure.message)

    async def run(self, died: Callable[[], Awaitable[object]]) -> None:
        """Give signs of life for ever, and call *died* soon after another process has fallen silent."""
        known = set(self.alive)
        while True:
            await asyncio.sleep(EVERY)
            try:
                await undisturbed(self.show())
                alive = set(self.alive)
                lost, known = known - alive, alive
                if lost:
                    _log.warning("nodes_lost", nodes=sorted(lost))
                    await self._end_transactions_of(lost)
                    await died()
            except Unavailable as failure:
                _log.warning("presence_waits", reason=failure.message)

    async def _end_transactions_of(self, lost: Collection[str]) -> None:
        """What the dead were about to write must not keep the living waiting."""
        try:
            with store_errors():
                found = await self._nodes.find({"_id": {"$in": sorted(lost)}}).to_list()
            theirs = [session for each in found for session in each.get("sessions", ())]
            if theirs:
                await self._database.end_sessions(theirs)
        except Unavailable as failure:
            _log.warning("transactions_not_ended", reason=failure.message)

    async def leads(self, name: str) -> bool:
        """Whether this process is the one that does *name*; it becomes the one when the last one is dead.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        with store_errors():
            found = await self._leases.find_one({"_id": name})
            if found is None:
                change = {"$setOnInsert": {"node": self.node}}
                await self._leases.update_one({"_id": name}, change, upsert=True)
                found = await self._leases.find_one({"_id": name})
            holder = None if found is None else found["node"]
            if holder == self.node or holder is None:
                return holder == self.node
            node = await self._nodes.find_one({"_id": holder}, {"count": 1})
            if node is not None and not self._is_dead(holder, node["count"]):
                return False
            which = {"_id": name, "node": holder}
            await self._leases.update_one(which, {"$set": {"node": self.node}})
            found = await self._leases.find_one({"_id": name})
        return found is not None and found["node"] == self.node


async def working(database: MongoDatabase) -> Sequence[str]:
    """The processes that give signs of life; it takes some seconds when there are some that ended without a word.

    Raises:
        StoreUnavailable: the store does not answer.
    """
    first = await _counts(database)
    if not first:
        return []
    for _ in range(SILENT_LOOKS):
        await asyncio.sleep(EVERY)
        counts = await _counts(database)
        moved = [node for node, count in counts.items() if first.get(node) != count]
        if moved:
            return sorted(moved)
    return []


async def _counts(database: MongoDatabase) -> dict[str, int]:
    with store_errors():
        found = database.collection(_NODES).find({"count": {"$gt": 0}}, {"count": 1})
        return {each["_id"]: each["count"] async for each in found}
