"""Reads what others have added to the log, and finishes what those who are gone have left underived.

A process says in each of its documents, and when it rests in a collection beside the log, before which place everything of it is
derived. From where all of all processes is derived stands there as well: nobody has to read what is before that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable
from typing import Final

from chassis.storage.mongo import Document, MongoDatabase, store_errors
from workflow_service.adapters.mongo.known import Known, Undone
from workflow_service.adapters.mongo.sharing import Shared
from workflow_service.adapters.mongo.writes import Writes

LATE: Final = 0.25
STALLED: Final = 2.0
"""Seconds after which the writes of another process are done here as well: of one that is dead, and of one that lives."""
PAGE: Final = 500
"""How many documents of the log are read at once."""
FINISHED: Final = 20
"""How many documents of another process are done at once."""
MARKED: Final = 1_000
"""After how many entries it is written down up to where everything is derived, although some of it is not."""

_HEAD: Final = {
    "last": 1, "intake": 1, "tips": 1, "keys": 1, "seen": 1, "node": 1, "derived": 1, "done": 1,
    "emptied": 1,
}  # fmt: skip
_ALL: Final = "*"
"""In place of a process: all of them."""


class Follower:
    """Keeps what is known of the log up to date.

    Args:
        database: has the log.
        known: what this process knows.
        node: this process.
        alive: the other processes that live.
    """

    def __init__(
        self,
        database: MongoDatabase,
        known: Known,
        *,
        node: str,
        alive: Callable[[], Collection[str]],
    ) -> None:
        self._database = database
        self._log = database.collection("log")
        self._marks = database.collection("derived")
        self._known = known
        self._node = node
        self._alive = alive
        self._marked = 0
        self._asked_of: dict[str, int] = {}
        self._read_at = 0.0
        self.catch_up = Shared(self._catch_up)
        """Reads what has been added until now."""

    @property
    def idle_for(self) -> float:
        """Seconds since what is known of the log was last known to be all of it."""
        return asyncio.get_running_loop().time() - self._read_at

    def added(self) -> None:
        """This process has just added a document, behind all that it knew."""
        self._read_at = asyncio.get_running_loop().time()

    async def others_done(self, which: Callable[[], Iterable[Undone]]) -> None:
        """Wait until that of *which* which others have written is derived, or do it.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        began, pause = asyncio.get_running_loop().time(), 0.002
        while nodes := {each.node for each in which()} - {self._node}:
            await self._read_marks()
            await self._ask(which())
            waited = asyncio.get_running_loop().time() - began
            for node in nodes:
                if waited > (STALLED if node in self._alive() else LATE):
                    await self.finish(node)
            if any(each.node != self._node for each in which()):
                await asyncio.sleep(pause)
                pause = min(pause * 2, 0.05)
                await self.catch_up()

    async def finish(self, node: str) -> None:
        """Derive what *node* has written and may not have derived.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        places = [each.place for each in self._known.undone() if each.node == node]
        for start in range(0, len(places), FINISHED):
            some = places[start : start + FINISHED]
            with store_errors():
                found = await self._log.find({"_id": {"$in": some}}).sort("_id").to_list()
            writes = [await Writes.read(self._database, each) for each in found]
            await Writes.together(writes).apply(self._database)
            await self._mark(node, some[-1] + 1)
            self._known.done(node, some[-1] + 1)

    async def asked(self) -> int:
        """Return up to which place others ask this process to derive what it has written.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        with store_errors():
            found = await self._marks.find_one({"_id": self._node}, {"asked": 1})
        return 0 if found is None else int(found.get("asked", 0))

    async def _ask(self, wanted: Iterable[Undone]) -> None:
        """Ask others to derive what of *wanted* they have written, unless they are asked already."""
        places: dict[str, int] = {}
        for each in wanted:
            if each.node != self._node and each.node in self._alive():
                places[each.node] = max(each.place, places.get(each.node, 0))
        for node, place in places.items():
            if place > self._asked_of.get(node, 0):
                self._asked_of[node] = place
                change = {"$max": {"asked": place}, "$setOnInsert": {"place": 0}}
                with store_errors():
                    await self._marks.update_one({"_id": node}, change, upsert=True)

    async def rest(self) -> None:
        """Tell others up to where everything is derived: by this process, or by all.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        if self._of_others():
            await self._read_marks()
        if self._of_others():
            mine = (each.place for each in self._known.undone() if each.node == self._node)
            await self._mark(self._node, next(mine, (self._known.last or 0) + 1))
        if not self._of_others() or self._known.settled[0] >= self._marked + MARKED:
            await self._mark_all()

    def _of_others(self) -> bool:
        return any(each.node != self._node for each in self._known.undone())

    async def added_by(self, place: int) -> str | None:
        """Return what the writer of the document at *place* has put on it; None: there is no document.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        with store_errors():
            found = await self._log.find_one({"_id": place}, {"by": 1})
        return None if found is None else found["by"]

    async def _catch_up(self) -> None:
        began = asyncio.get_running_loop().time()
        if self._known.last is None:
            await self._begin()
        while True:
            behind = {"last": {"$gt": self._known.last}}
            with store_errors():
                page = await self._log.find(behind, _HEAD).sort("last").limit(PAGE).to_list()
            for document in page:
                self._known.learn(document)
            if len(page) < PAGE:
                break
        self._read_at = began

    async def _begin(self) -> None:
        with store_errors():
            mark = await self._marks.find_one({"_id": _ALL})
            if mark is None:
                mark = await self._first_mark()
            passed: Document = {"place": {"$lte": mark["place"]}}
            passed["asked"] = {"$not": {"$gt": mark["place"]}}
            await self._marks.delete_many({"_id": {"$ne": _ALL}, **passed})
        self._known.begin(mark["place"], mark["intake"])

    async def _first_mark(self) -> Document:
        """Say that everything but the last document is derived, which is so where nobody has said it."""
        newest = await self._log.find({}, {"_id": 1}).sort("_id", -1).limit(1).to_list()
        place = newest[0]["_id"] if newest else 1
        change = {"$setOnInsert": {"place": place, "intake": 0}}
        await self._marks.update_one({"_id": _ALL}, change, upsert=True)
        mark = await self._marks.find_one({"_id": _ALL})
        return mark or {"place": place, "intake": 0}

    async def _read_marks(self) -> None:
        with store_errors():
            found = await self._marks.find().to_list()
        for mark in found:
            if mark["_id"] == _ALL:
                self._known.all_done(mark["place"])
            else:
                self._known.done(mark["_id"], mark["place"])

    async def _mark(self, node: str, place: int) -> None:
        with store_errors():
            change = {"$max": {"place": place}}
            await self._marks.update_one({"_id": node}, change, upsert=True)

    async def _mark_all(self) -> None:
        place, intake = self._known.settled
        self._marked = place
        which = {"_id": _ALL, "place": {"$lt": place}}
        with store_errors():
            await self._marks.update_one(which, {"$set": {"place": place, "intake": intake}})
