"""Rings for what other processes bring into inboxes that somebody watches here."""

from collections.abc import Mapping
from typing import Final

from chassis.storage.mongo import MongoDatabase, store_errors
from chassis.storage.polling import poll
from notification_service.adapters.bells import Bells
from notification_service.adapters.mongo.documents import key_of_recipient

EVERY: Final = 0.5
"""Seconds between two looks at the inboxes that are watched: one query, however many they are."""
_AT_ONCE: Final = 1_000


class InboxWatch:
    """Looks at what is watched, and rings where a position has changed since the last look."""

    def __init__(self, database: MongoDatabase, bells: Bells) -> None:
        self._inboxes = database.collection("inboxes")
        self._bells = bells
        self._seen: Mapping[str, int] = {}

    async def run(self) -> None:
        """Look for ever. A store that is away for a while is waited for."""
        await poll(self.look, every=EVERY, waiting="inbox_watch_waits")

    async def look(self) -> None:
        """Look once; an inbox that was not watched at the last look counts as changed.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        watched = {key_of_recipient(recipient): recipient for recipient in self._bells.recipients}
        seen = await self._positions(list(watched))
        for key, recipient in watched.items():
            if key not in self._seen or seen[key] != self._seen[key]:
                self._bells.ring(recipient)
        self._seen = seen

    async def _positions(self, keys: list[str]) -> Mapping[str, int]:
        places = dict.fromkeys(keys, 0)
        for first in range(0, len(keys), _AT_ONCE):
            which = {"_id": {"$in": keys[first : first + _AT_ONCE]}}
            with store_errors():
                async for each in self._inboxes.find(which, {"last": 1}):
                    places[each["_id"]] = each["last"]
        return places
