"""Tells those who wait here of what other processes have written."""

from typing import Final

from auth_service.adapters.bells import Tide
from auth_service.adapters.mongo.ledger import COUNTERS, FEED, OUTBOX
from chassis.storage.mongo import MongoDatabase, store_errors
from chassis.storage.polling import poll

EVERY: Final = 0.25
"""Seconds between two looks: what another process revokes must be known here within one."""


class Tides:
    """Looks at the last positions of the outbox and of the feed, one query for both."""

    def __init__(self, database: MongoDatabase, *, announced: Tide, revoked: Tide) -> None:
        self._counters = database.collection(COUNTERS)
        self._of = {OUTBOX: announced, FEED: revoked}

    async def run(self) -> None:
        """Look for ever. A store that is away for a while is waited for."""
        await poll(self.look, every=EVERY, waiting="tides_wait")

    async def look(self) -> None:
        """Look once.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        with store_errors():
            found = await self._counters.find({"_id": {"$in": list(self._of)}}).to_list()
        for each in found:
            self._of[each["_id"]].rise(each["last"])
