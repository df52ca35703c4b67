"""Tells those who wait here of what other processes have written."""

import asyncio
from typing import Final

from auth_service.adapters.bells import Tide
from auth_service.adapters.mongo.ledger import COUNTERS, FEED, OUTBOX
from chassis.errors import Unavailable
from chassis.lifecycle import undisturbed
from chassis.storage.mongo import MongoDatabase, store_errors
from chassis.telemetry.logging import get_logger

EVERY: Final = 0.25
"""Seconds between two looks: what another process revokes must be known here within one."""

_log = get_logger("auth_service.tides")


class Tides:
    """Looks at the last positions of the outbox and of the feed, one query for both."""

    def __init__(self, database: MongoDatabase, *, announced: Tide, revoked: Tide) -> None:
        self._counters = database.collection(COUNTERS)
        self._of = {OUTBOX: announced, FEED: revoked}

    async def run(self) -> None:
        """Look for ever. A store that is away for a while is waited for."""
        while True:
            await asyncio.sleep(EVERY)
            try:
                await undisturbed(self.look())
            except Unavailable as failure:
                _log.warning("tides_wait", reason=failure.message)

    async def look(self) -> None:
        """Look once.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        with store_errors():
            found = await self._counters.find({"_id": {"$in": list(self._of)}}).to_list()
        for each in found:
            self._of[each["_id"]].rise(each["last"])
