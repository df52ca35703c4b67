"""Executions that wait for somebody, picked so that tenants take turns."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from zlib import crc32

from chassis.storage.mongo import Document, MongoDatabase, store_errors
from workflow_service.adapters.mongo.entries import Tip
from workflow_service.adapters.turns import in_turns

LATE: Final = 1_500_000
"""Microseconds after which what is due is not left to the process that it is for."""
_PRESENT: Final = {"$gt": 0}
_TENANTS: Final = 200
"""How many tenants have their turn in one look at the most; those that come later are there at the next."""


@dataclass(frozen=True, slots=True)
class Share:
    """Which part of what is due is for one of several processes; what waits for too long is for all.

    Args:
        node: the process.
        nodes: all that live.
    """

    node: str
    nodes: Sequence[str]

    def has(self, execution: str, late: int) -> bool:
        """Whether *execution*, which has been due for *late* microseconds, is in it."""
        chosen = sorted(self.nodes)[crc32(execution.encode()) % len(self.nodes)]
        return chosen == self.node or late > LATE


async def due(database: MongoDatabase, now: int, limit: int, share: Share) -> list[str]:
    """Return executions of a share whose time has come; see ``EventStore.due``."""
    which: Document = {"wake_at": {"$gt": 0, "$lte": now}}
    order = [("priority", -1), ("wake_at", 1)]

    def mine(each: Document) -> bool:
        return share.has(each["_id"], now - each["wake_at"])

    return in_turns(await _lines(database, which, order, limit * len(share.nodes), mine), limit)


async def next_wake(database: MongoDatabase) -> int | None:
    """Return the earliest ``wake_at`` of all."""
    executions = database.collection("executions")
    with store_errors():
        found = (
            await executions.find({"wake_at": _PRESENT}, {"wake_at": 1})
            .sort("wake_at")
            .limit(1)
            .to_list()
        )
    return found[0]["wake_at"] if found else None


async def left_by(database: MongoDatabase, nodes: Sequence[str], limit: int) -> dict[str, Tip]:
    """Return busy executions on which one of *nodes* worked, and where they stand."""
    if not nodes:
        return {}
    which: Document = {"busy": _PRESENT, "nodes": {"$in": list(nodes)}}
    chosen = in_turns(await _lines(database, which, [("_id", 1)], limit), limit)
    with store_errors():
        found = database.collection("executions").find(
            {"_id": {"$in": chosen}, **which}, {"sequence": 1, "epoch": 1}
        )
        tips = {each["_id"]: Tip(each["sequence"], each["epoch"]) for each in await found.to_list()}
    return {name: tips[name] for name in chosen if name in tips}


async def _lines(
    database: MongoDatabase,
    which: Document,
    order: list[tuple[str, int]],
    limit: int,
    mine: Callable[[Document], bool] = lambda _: True,
) -> Iterable[Iterator[str]]:
    if limit < 1:
        return ()
    executions = database.collection("executions")
    with store_errors():
        tenants = sorted(await executions.distinct("tenant", which))[:_TENANTS]

        async def of(tenant: str) -> Iterator[str]:
            cursor = executions.find({"tenant": tenant, **which}, {"wake_at": 1})
            found = await cursor.sort(order).limit(limit).to_list()
            return iter([each["_id"] for each in found if mine(each)])

        return await asyncio.gather(*map(of, tenants))
