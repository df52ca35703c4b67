"""Throttling failed logins without locking anybody out.

Only failures count, and they are counted in two places: for the network they come from, and for
the account that is tried. Networks from which the user already has a session have an account
bucket of their own, so that strangers who guess all day cannot keep the owner out. The guesses
at one account are taken one after the other: a burst cannot slip through before its first failure
is counted.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

from auth_service.domain.errors import TooManyGuesses
from chassis.caching.port import LimitPolicy, Limits


@dataclass(frozen=True, slots=True)
class GuessPolicy:
    """How many failed logins are borne per *window* seconds."""

    per_account: int = 10
    per_network: int = 300
    window: float = 300.0


@dataclass(slots=True)
class Guesses:
    """Who failed how often."""

    limits: Limits
    policy: GuessPolicy
    _turns: WeakValueDictionary[str, asyncio.Lock] = field(default_factory=WeakValueDictionary)

    @asynccontextmanager
    async def turn(self, account: str) -> AsyncIterator[None]:
        """Wait until nobody else tries *account*, known or not."""
        lock = self._turns.setdefault(account, asyncio.Lock())
        async with lock:
            yield

    async def check(self, account: str, network: str) -> None:
        """Refuse to look at another guess when there were too many failures.

        Raises:
            TooManyGuesses: saying when to try again.
        """
        for key, policy in self._buckets(account, network):
            decision = await self.limits.take(key, policy, 0)
            if decision.remaining < 1:
                pause = policy.window / policy.quota
                raise TooManyGuesses(decision.reset - (policy.capacity - 1) * pause)

    async def failed(self, account: str, network: str) -> None:
        """Count a failure."""
        for key, policy in self._buckets(account, network):
            await self.limits.take(key, policy)

    def _buckets(self, account: str, network: str) -> tuple[tuple[str, LimitPolicy], ...]:
        by_account = LimitPolicy("login-account", self.policy.per_account, self.policy.window)
        by_network = LimitPolicy("login-network", self.policy.per_network, self.policy.window)
        return ((network, by_network), (account, by_account))
