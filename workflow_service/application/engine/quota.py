"""How many open executions a tenant may have."""

from __future__ import annotations

from dataclasses import dataclass

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


class OpenExecutions:
    """Refuses new executions of tenants that have too many; exact in one process, and within seconds among several."""

    def __init__(self, store: EventStore, clock: Clock, most: int) -> None:
        self._store = store
        self._clock = clock
        self._most = most
        self._counts: dict[str, _Count] = {}

    async def admit(self, tenant: str) -> None:
        """Count one more open execution of *tenant*.

        Raises:
            TooManyExecutions: it has as many as it may have.
            Unavailable: the store cannot count them now.
        """
        count = self._counts.get(tenant)
        if count is None or count.until <= self._clock.monotonic():
            found = await self._store.count_open(tenant, self._most)
            self._forget_old()
            count = _Count(found, self._clock.monotonic() + FRESH)
            self._counts[tenant] = count
        if count.open >= self._most:
            told = f"there are {self._most} open executions already; let some end first"
            with counting_refusals():
                raise TooManyExecutions(beyond(told, "open_executions"), retry_after=RETRY_AFTER)
        count.open += 1

    def ended(self, tenant: str) -> None:
        """Say that an execution of *tenant* has ended, or was refused after all."""
        count = self._counts.get(tenant)
        if count is not None and count.open > 0:
            count.open -= 1

    def _forget_old(self) -> None:
        now = self._clock.monotonic()
        if len(self._counts) >= 1_000:
            self._counts = {name: c for name, c in self._counts.items() if c.until > now}
