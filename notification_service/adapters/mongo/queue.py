"""Deliveries still to be made, divided among the processes that share the store by claiming them.

A claim is the name of a process in the delivery. It has no end of its own: when the process is gone, as the others see
by its signs of life (`Presence`), its claims are taken off.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from pymongo.errors import DuplicateKeyError

from chassis.storage.mongo import Document, MongoDatabase, Session, store_errors
from chassis.storage.mongo_presence import Presence
from notification_service.adapters.bells import EventBell
from notification_service.adapters.mongo.documents import (
    attempt_document,
    key_of_delivery,
    pending_of,
)
from notification_service.adapters.mongo.inboxes import Inboxes
from notification_service.adapters.mongo.mails import wipe
from notification_service.adapters.times import moment_of, stamp
from notification_service.domain.delivery import Attempt, ChannelName, PendingDelivery

PATIENCE: Final = 2.0
"""Seconds after which the queue is looked at although nobody has rung: other processes fill it as well."""


class MongoDeliveryQueue:
    """Implements `DeliveryQueue`.

    *work* rings when the queue may have changed; one task at a time may `wait` for it.
    """

    def __init__(
        self, database: MongoDatabase, presence: Presence, inboxes: Inboxes, work: EventBell
    ) -> None:
        self._database = database
        self._queue = database.collection("delivery_queue")
        self._nodes = database.collection("nodes")
        self._presence = presence
        self._inboxes = inboxes
        self._work = work
        self._claimed: set[str] = set()
        self._released: set[str] = set()
        """Given up here, and not yet in the store: nobody else sees it until then."""
        self._claiming = asyncio.Lock()
        self._somebody_left = True

    async def claim(self, now: datetime, limit: int) -> Sequence[PendingDelivery]:
        """See `DeliveryQueue.claim`."""
        taken: list[Document] = []
        async with self._claiming:
            await self._give_back()
            await self._free_what_is_left_behind()
            try:
                while len(taken) < limit and (found := await self._claim_one(stamp(now))):
                    taken.append(found)
                    self._claimed.add(found["_id"])
            except BaseException:
                self._claimed.difference_update(each["_id"] for each in taken)
                raise
        return [pending_of(each) for each in taken]

    async def settle(self, attempt: Attempt, again: PendingDelivery | None) -> None:
        """See `DeliveryQueue.settle`.

        Who has lost the claim, having been taken for gone, cannot postpone what is another's now.
        What it has delivered is done, whoever has claimed it.
        """
        key = key_of_delivery(attempt.notification_id, attempt.channel)

        async def settle(session: Session) -> None:
            places = await self._inboxes.grow(attempt.recipient, session, attempts=1)
            attempts = self._database.collection("delivery_attempts")
            await attempts.insert_one(attempt_document(attempt, places.logged), session=session)
            if again is None:
                await self._remove(attempt.notification_id, attempt.channel, session)
            else:
                values = {"attempts": again.attempts, "due_at": stamp(again.due_at)}
                change = {"$set": values, "$unset": {"holder": ""}}
                await self._queue.update_one({"_id": key, **self._mine}, change, session=session)

        async with self._inboxes.turn(attempt.recipient):
            # Taken key: it was recorded before, and the answer was lost.
            with contextlib.suppress(DuplicateKeyError):
                await self._database.atomically(settle)
        self._let_go(key)

    async def drop(self, pending: PendingDelivery) -> None:
        """See `DeliveryQueue.drop`."""

        async def drop(session: Session) -> None:
            await self._remove(pending.notification_id, pending.channel, session)

        await self._database.atomically(drop)
        self._let_go(_key(pending))

    def release(self, pending: PendingDelivery) -> None:
        """See `DeliveryQueue.release`."""
        key = _key(pending)
        if key in self._claimed:
            self._released.add(key)
            self._let_go(key)

    async def wait(self, now: datetime, longest: float) -> None:
        """See `DeliveryQueue.wait`."""
        async with self._claiming:
            await self._give_back()
        due = await self._next_due()
        ahead = longest if due is None else (due - now).total_seconds()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, min(ahead, longest, PATIENCE))):
                await self._work.rung()

    async def depth(self) -> int:
        """See `DeliveryQueue.depth`."""
        with store_errors():
            return await self._queue.estimated_document_count()

    async def somebody_left(self) -> None:
        """Another process is gone: what it had claimed is to be had again."""
        self._somebody_left = True
        self._work.ring()

    @property
    def _mine(self) -> Document:
        """Claimed by nobody, or by this process, whose claim may have got lost with the answer to it."""
        return {"holder": {"$in": [None, self._presence.node]}}

    async def _claim_one(self, now: int) -> Document | None:
        which = {"due_at": {"$lte": now}, "_id": {"$nin": list(self._claimed)}, **self._mine}
        change = {"$set": {"holder": self._presence.node}}
        with store_errors():
            return await self._queue.find_one_and_update(which, change, sort=[("due_at", 1)])

    async def _give_back(self) -> None:
        if not self._released:
            return
        released = list(self._released)
        which = {"_id": {"$in": released}, "holder": self._presence.node}
        with store_errors():
            await self._queue.update_many(which, {"$unset": {"holder": ""}})
        self._released.difference_update(released)

    async def _free_what_is_left_behind(self) -> None:
        if not self._somebody_left:
            return
        self._somebody_left = False
        try:
            gone = await self._gone()
            with store_errors():
                await self._queue.update_many({"holder": {"$in": gone}}, {"$unset": {"holder": ""}})
        except BaseException:
            self._somebody_left = True
            raise

    async def _gone(self) -> list[str]:
        """Holders that are dead; who is not even known has been so for days."""
        with store_errors():
            # In this order: who claims has shown itself before.
            holders = set(await self._queue.distinct("holder"))
            known = set(await self._nodes.distinct("_id"))
        dead = await self._presence.dead()
        return sorted(holders - known | holders.intersection(dead))

    async def _remove(self, notification_id: str, channel: ChannelName, session: Session) -> None:
        key = key_of_delivery(notification_id, channel)
        await self._queue.delete_one({"_id": key}, session=session)
        if channel is ChannelName.MAIL:
            await wipe(self._database, notification_id, session)

    def _let_go(self, key: str) -> None:
        if key in self._claimed:
            self._claimed.remove(key)
            self._work.ring()

    async def _next_due(self) -> datetime | None:
        """When the first delivery is due that nobody has claimed."""
        which = {"_id": {"$nin": list(self._claimed)}, **self._mine}
        with store_errors():
            found = self._queue.find(which, {"due_at": 1}).sort("due_at", 1).limit(1)
            first = await found.to_list()
        return moment_of(first[0]["due_at"]) if first else None


def _key(pending: PendingDelivery) -> str:
    return key_of_delivery(pending.notification_id, pending.channel)
