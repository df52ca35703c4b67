"""Work that one process does for all: the others find nothing to do until that one is dead.

For a moment two may do it, which those who hear of events are made for.
"""

from __future__ import annotations

import asyncio
import time

from chassis.storage.mongo_presence import EVERY, Presence


class Leadership:
    """Whether this process does some work for all.

    Args:
        presence: knows who is alive.
        name: of the work.
    """

    def __init__(self, presence: Presence, name: str) -> None:
        self._presence = presence
        self._name = name
        self._asked = -EVERY
        self._leads = False
        self._one = asyncio.Lock()

    async def __call__(self) -> bool:
        """Ask the store, though not more than once a second.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        async with self._one:  # so that no late answer stands in for a newer one
            now = time.monotonic()
            if now - self._asked >= EVERY:
                self._leads = await self._presence.leads(self._name)
                self._asked = now
        return self._leads
