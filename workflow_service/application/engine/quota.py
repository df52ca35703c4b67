"""How many open executions, and how many subscriptions, a tenant may have."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from weakref import WeakValueDictionary

from chassis.clock import Clock
from chassis.errors import RateLimited
from workflow_service.application.ports import EventStore
from workflow_service.application.reached import counting_refusals
from workflow_service.domain.bounds import beyond

FRESH = 5.0
"""Seconds for which a count is believed; what this process begins and ends meanwhile is added to it."""
RETRY_AFTER = 10.0
"""Seconds after which a refused caller may try again."""


class TooManyExecutions(RateLimited):
    """The tenant has as many open executions as it may have."""


@dataclass(slots=True)
class _Count:
    open: int
    until: float


class PerTenant:
    """Counts something of every tenant; exact in one process, and within seconds among several.

    Args:
        count: counts what the store has of a tenant, up to a limit.
        clock: says for how long a count is fresh.
        most: how many a tenant may have.
    """

    def __init__(
        self, count: Callable[[str, int], Awaitable[int]], clock: Clock, most: int
    ) -> None:
        self._count = count
        self._clock = clock
        self.most = most
        self._counts: dict[str, _Count] = {}
        self._counting: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def take(self, tenant: str, wanted: int = 1) -> bool:
        """Count so many more of *tenant*; False, and nothing counted, when it would have too many.

        Raises:
            Unavailable: the store cannot count them now.
        """
        count = self._fresh(tenant)
        if count is None:
            # One counts for all who come meanwhile: what they take is then added to the same count.
            async with self._counting.setdefault(tenant, asyncio.Lock()):
                count = self._fresh(tenant) or await self._counted(tenant)
        if count.open + wanted > self.most:
            return False
        count.open += wanted
        return True

    def give_back(self, tenant: str, given: int = 1) -> None:
        """Say that *tenant* has so many fewer."""
        count = self._counts.get(tenant)
        if count is not None:
            count.open = max(0, count.open - given)

    def _fresh(self, tenant: str) -> _Count | None:
        count = self._counts.get(tenant)
        return None if count is None or count.until <= self._clock.monotonic() else count

    async def _counted(self, tenant: str) -> _Count:
        found = await self._count(tenant, self.most)
        self._forget_old()
        count = self._counts[tenant] = _Count(found, self._clock.monotonic() + FRESH)
        return count

    def _forget_old(self) -> None:
        now = self._clock.monotonic()
        if len(self._counts) >= 1_000:
            self._counts = {name: c for name, c in self._counts.items() if c.until > now}


class OpenExecutions:
    """Refuses new executions of tenants that have too many."""

    def __init__(self, store: EventStore, clock: Clock, most: int) -> None:
        self._open = PerTenant(store.count_open, clock, most)

    async def admit(self, tenant: str) -> None:
        """Count one more open execution of *tenant*.

        Raises:
            TooManyExecutions: it has as many as it may have.
            Unavailable: the store cannot count them now.
        """
        if not await self._open.take(tenant):
            told = f"there are {self._open.most} open executions already; let some end first"
            with counting_refusals():
                raise TooManyExecutions(beyond(told, "open_executions"), retry_after=RETRY_AFTER)

    def ended(self, tenant: str) -> None:
        """Say that an execution of *tenant* has ended, or was refused after all."""
        self._open.give_back(tenant)
