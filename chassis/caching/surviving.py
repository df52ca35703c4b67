"""Limits that go on when the server that counts them is lost: each process then counts for itself.

Without them whoever brings Redis down could guess passwords without being slowed, or nobody could log in. Counted by
each process apart, a limit is at most as many times higher as there are replicas.
"""

from functools import partial

from chassis.caching.port import LimitDecision, LimitPolicy, Limits
from chassis.caching.reaching import Reach
from chassis.clock import Clock
from chassis.errors import Unavailable
from chassis.telemetry import metrics

_ALONE = metrics.counter(
    "limits_counted_alone_total", "Decisions made without the shared counter.", ["policy"]
)


class SurvivingLimits:
    """Asks *shared*, and *own* while *shared* is not to be had. Never raises Unavailable."""

    def __init__(self, shared: Limits, own: Limits, clock: Clock) -> None:
        self._shared = shared
        self._own = own
        self._reach = Reach("shared_limits", clock)

    async def take(self, key: str, policy: LimitPolicy, cost: int = 1) -> LimitDecision:
        """See `Limits.take`."""
        try:
            return await self._reach.ask(partial(self._shared.take, key, policy, cost))
        except Unavailable:
            _ALONE.child(policy.name).inc()
            return await self._own.take(key, policy, cost)
