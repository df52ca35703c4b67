"""How long the work of a process that died lay there, seen in the store beside everybody who works on it."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final

from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError

_EVERY: Final = 0.2
_SILENCE: Final = 5.0
"""Seconds without a sign of life that are no chance."""
_BUSY: Final = {"busy": {"$gt": 0}}


@dataclass(frozen=True, slots=True)
class Look:
    """What there was at one moment."""

    at: float
    """On the monotonic clock."""
    counts: Mapping[str, int]
    """How far each process has counted, as a sign of life."""
    holders: Mapping[str, frozenset[str]]
    """Who works on each execution that is under way."""


@dataclass(slots=True)
class Watch:
    """Looks again and again."""

    looks: list[Look] = field(default_factory=list)

    def silent_since(self, moment: float) -> set[str]:
        """The processes that lived at *moment* and have given no sign of life for a while now."""
        now = self.looks[-1] if self.looks else Look(moment, {}, {})
        lived = [look for look in self.looks if look.at <= moment]
        lately = [look for look in self.looks if moment < look.at <= now.at - _SILENCE]
        if not lived or not lately:
            return set()
        return {
            node
            for node, count in lived[-1].counts.items()
            if count > 0 and now.counts.get(node) == lately[-1].counts.get(node)
        }

    def everybody_has(self, processes: int, executions: int) -> bool:
        """Whether so many processes have so many executions each under way."""
        looks = self.looks[-1:]
        held = Counter(node for look in looks for some in look.holders.values() for node in some)
        return sum(count >= executions for count in held.values()) >= processes

    def left_at(self, moment: float) -> bool:
        """Whether something still lies with those who fell silent at *moment*."""
        silent = self.silent_since(moment)
        return any(holders & silent for holders in self.looks[-1].holders.values())

    def taken_over(self, moment: float) -> tuple[int, float]:
        """How many executions those had under way who fell silent at *moment*, and after how many seconds none was theirs."""
        silent = self.silent_since(moment)
        theirs: set[str] = set()
        over, left = moment, True
        for look in (look for look in self.looks if look.at > moment):
            held = {each for each, holders in look.holders.items() if holders & silent}
            theirs |= held
            if left:
                over = look.at
            left = bool(held)
        return len(theirs), over - moment


@asynccontextmanager
async def watched(url: str) -> AsyncIterator[Watch]:
    """A watch on the workflow service's database at *url*, for as long as the block lasts."""
    watch = Watch()
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(
        url, directConnection=True, timeoutMS=2_000
    )
    looking = asyncio.ensure_future(_look(client, watch))
    try:
        yield watch
    finally:
        looking.cancel()
        with suppress(asyncio.CancelledError):
            await looking
        await client.close()


async def _look(client: AsyncMongoClient[dict[str, Any]], watch: Watch) -> None:
    database = client["suite_workflow"]
    while True:
        # A store that is away is looked at again.
        with suppress(PyMongoError):
            counts = await database["nodes"].find({}, {"count": 1}).to_list()
            busy = await database["executions"].find(_BUSY, {"nodes": 1}).to_list()
            watch.looks.append(
                Look(
                    time.monotonic(),
                    {each["_id"]: each["count"] for each in counts},
                    {each["_id"]: frozenset(each["nodes"]) for each in busy},
                )
            )
        await asyncio.sleep(_EVERY)
