"""The next positions in inboxes and logs, given out inside of transactions.

Who takes a position keeps the inbox to itself until its transaction ends, so that no reader of it can see a later
position before an earlier one.
"""

import asyncio
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple
from weakref import WeakValueDictionary

from chassis.storage.mongo import MongoDatabase, Session
from chassis.storage.mongo_counting import counted_up
from notification_service.adapters.mongo.documents import key_of_recipient
from notification_service.domain.recipient import Recipient


class Places(NamedTuple):
    """The last positions of somebody's notifications and attempts."""

    last: int
    logged: int


class Inboxes:
    """What counts everybody's notifications and attempts.

    Transactions of one process on the same inbox wait for each other here: in the store they would
    meet, and all but one begin again.
    """

    def __init__(self, database: MongoDatabase) -> None:
        self._inboxes = database.collection("inboxes")
        self._turns: WeakValueDictionary[Recipient, asyncio.Lock] = WeakValueDictionary()

    def turn(self, recipient: Recipient) -> AbstractAsyncContextManager[None]:
        """The right to change *recipient*'s inbox, among the tasks of this process."""
        return self._turns.setdefault(recipient, asyncio.Lock())

    async def grow(
        self, recipient: Recipient, session: Session, *, notifications: int = 0, attempts: int = 0
    ) -> Places:
        """So many more of them; the last ones' positions."""
        steps = {"last": notifications, "logged": attempts}
        key = key_of_recipient(recipient)
        found = await counted_up(self._inboxes, key, steps, session)
        return Places(found["last"], found["logged"])
