"""Limits and cache within one process, both bounded."""

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


class MemoryCache:
    """Values by recency of use.

    Args:
        clock: what expiry is measured with.
        most: how many values are kept.
        most_bytes: how much they may take together; a larger value is not kept at all.
    """

    def __init__(
        self,
        clock: Clock | None = None,
        *,
        most: int = 10_000,
        most_bytes: int = 64 * 1024 * 1024,
    ) -> None:
        self._clock = clock or SystemClock()
        self._most = most
        self._most_bytes = most_bytes
        self._bytes = 0
        self._values: OrderedDict[str, tuple[bytes, float]] = OrderedDict()

    async def get(self, key: str) -> bytes | None:
        """See `Cache.get`."""
        found = self._values.get(key)
        if found is None:
            return None
        if found[1] <= self._clock.monotonic():
            self._forget(key)
            return None
        self._values.move_to_end(key)
        return found[0]

    async def set(self, key: str, value: bytes, ttl: float) -> None:
        """See `Cache.set`."""
        self._forget(key)
        if ttl <= 0:
            return
        self._values[key] = (value, self._clock.monotonic() + ttl)
        self._bytes += len(value)
        while len(self._values) > self._most or self._bytes > self._most_bytes:
            self._forget(next(iter(self._values)))

    async def delete(self, key: str) -> None:
        """See `Cache.delete`."""
        self._forget(key)

    def _forget(self, key: str) -> None:
        value, _ = self._values.pop(key, (b"", 0.0))
        self._bytes -= len(value)
