"""Limits within one process, bounded."""

from collections import OrderedDict

from chassis.caching.port import LimitDecision, LimitPolicy
from chassis.clock import Clock, SystemClock

_NANO = 1_000_000_000


class MemoryLimits:
    """GCRA in whole numbers, so that nothing is lost or won by rounding.

    For each key it keeps the "theoretical arrival time": when all that was taken will have been
    paid back at the policy's rate. Times are in units of 1/quota nanoseconds; in these, one piece
    costs exactly `window` nanoseconds.

    Args:
        clock: what time is measured with.
        most: how many keys are remembered. Beyond it the one longest unused is forgotten, which
            gives that key all it is allowed again.
    """

    def __init__(self, clock: Clock | None = None, *, most: int = 100_000) -> None:
        self._clock = clock or SystemClock()
        self._most = most
        self._arrivals: OrderedDict[tuple[str, LimitPolicy], int] = OrderedDict()

    async def take(self, key: str, policy: LimitPolicy, cost: int = 1) -> LimitDecision:
        """See `Limits.take`."""
        if not 0 <= cost <= policy.capacity:
            raise ValueError(f"{policy.name} never allows {cost} at once")
        piece = round(policy.window * _NANO)
        now = round(self._clock.monotonic() * _NANO) * policy.quota
        before = max(self._arrivals.get((key, policy), now), now)
        after = before + cost * piece
        excess = after - piece * policy.capacity - now
        allowed = excess <= 0
        if allowed and cost:
            self._remember((key, policy), after)
        paid_back = (after if allowed else before) - now
        unit = policy.quota * _NANO
        return LimitDecision(
            allowed=allowed,
            limit=policy.capacity,
            remaining=(piece * policy.capacity - paid_back) // piece,
            reset=paid_back / unit,
            retry_after=0.0 if allowed else excess / unit,
        )

    def _remember(self, entry: tuple[str, LimitPolicy], arrival: int) -> None:
        self._arrivals[entry] = arrival
        self._arrivals.move_to_end(entry)
        if len(self._arrivals) > self._most:
            self._arrivals.popitem(last=False)
