"""Limits that all replicas count together, in Redis: one script, and so one step, for each decision."""

import asyncio
import hashlib
from typing import Final, cast

from redis.asyncio import Redis
from redis.commands.core import AsyncScript
from redis.exceptions import RedisError

from chassis.caching.port import LimitDecision, LimitPolicy
from chassis.errors import Unavailable

_SCRIPT: Final = """
-- The Generic Cell Rate Algorithm. Times are microseconds; those of the server count, so that the clocks of whoever
-- asks need not agree. They begin in 2023, so that a double tells them apart to a fraction of a microsecond.
local piece = tonumber(ARGV[1])
local capacity = tonumber(ARGV[2])
local cost = tonumber(ARGV[3])
local moment = redis.call('TIME')
local now = (tonumber(moment[1]) - 1700000000) * 1000000 + tonumber(moment[2]) + tonumber(ARGV[4])
local before = tonumber(redis.call('GET', KEYS[1]) or now)
if before < now then before = now end
local after = before + cost * piece
local excess = after - piece * capacity - now
-- What a double loses must not refuse the last piece.
local allowed = excess <= 0.5
local paid = before - now
if allowed then
  paid = after - now
  if cost > 0 then
    redis.call('SET', KEYS[1], string.format('%.3f', after), 'PX', math.ceil(paid / 1000) + 1)
  end
  excess = 0
end
return {allowed and 1 or 0, string.format('%.3f', paid), string.format('%.3f', excess)}
"""
_MICRO: Final = 1_000_000
PATIENCE: Final = 0.25
"""Seconds after which a decision is given up."""


class RedisLimits:
    """Implements `Limits` in Redis.

    Args:
        client: of the server; whoever opened it closes it.
        patience: seconds after which a decision is given up.
        ahead: seconds by which the server's time is taken to be later; for tests.
    """

    def __init__(self, client: Redis, *, patience: float = PATIENCE, ahead: float = 0.0) -> None:
        self.ahead = ahead
        self._script: AsyncScript = client.register_script(_SCRIPT)
        self._patience = patience

    async def take(self, key: str, policy: LimitPolicy, cost: int = 1) -> LimitDecision:
        """See `Limits.take`."""
        if not 0 <= cost <= policy.capacity:
            raise ValueError(f"{policy.name} never allows {cost} at once")
        piece = policy.window * _MICRO / policy.quota
        numbers = (piece, policy.capacity, cost, round(self.ahead * _MICRO))
        try:
            async with asyncio.timeout(self._patience):
                answer = await self._script(keys=[_name(key, policy)], args=numbers)
        except (RedisError, OSError, TimeoutError) as exc:
            raise Unavailable("the limits cannot be counted", retry_after=1) from exc
        allowed, paid, excess = cast("tuple[int, bytes, bytes]", answer)
        return _decision(policy, bool(allowed), float(paid), float(excess), piece)


def _decision(
    policy: LimitPolicy, allowed: bool, paid: float, excess: float, piece: float
) -> LimitDecision:
    left = policy.capacity - paid / piece
    return LimitDecision(
        allowed=allowed,
        limit=policy.capacity,
        # A thousandth is what the numbers were rounded by on their way.
        remaining=max(int(left + 0.001), 0),
        reset=paid / _MICRO,
        retry_after=0.0 if allowed else excess / _MICRO,
    )


def _name(key: str, policy: LimitPolicy) -> str:
    """Policies that differ in anything count apart, as they do in memory.

    Keys may name people, by address or e-mail: what stands in Redis does not.
    """
    who = hashlib.blake2b(key.encode(errors="surrogatepass"), digest_size=16).hexdigest()
    return (
        f"autoworker:limit:{policy.name}:{policy.quota}:{policy.window:g}:{policy.capacity}:{who}"
    )
