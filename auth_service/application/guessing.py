"""Throttling failed logins without locking anybody out.

Only failures count, and they are counted in four places: for the account that is tried, for the
address they come from (a /64 of IPv6), for its network (a /24, a /48), and for the whole tenant, so
that neither one account nor many, from one place or from many, can be guessed at for long. Addresses
from which the user already has a session have an account bucket of their own and are not held back
by what strangers do in the same network or tenant: who guesses all day cannot keep the owner out.
The guesses at one account are taken one after the other: a burst cannot slip through before its
first failure is counted.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

from auth_service.domain.errors import TooManyGuesses
from auth_service.domain.session import Origin
from chassis.caching.port import LimitPolicy, Limits

_STRANGER = "stranger"


@dataclass(frozen=True, slots=True)
class GuessPolicy:
    """How many failed logins are borne per *window* seconds."""

    per_account: int = 10
    per_address: int = 300
    per_network: int = 900
    per_tenant: int = 10_000
    window: float = 300.0


@dataclass(frozen=True, slots=True)
class Guess:
    """Somebody tries to be the owner of *account*; *familiar*: from where the owner is logged in."""

    tenant: str
    account: str
    origin: Origin
    familiar: bool = False

    @property
    def bucket(self) -> str:
        """Whose failures are counted together for the account."""
        return f"{self.account}:{self.origin.network if self.familiar else _STRANGER}"


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

    async def check(self, guess: Guess) -> None:
        """Refuse to look at another guess when there were too many failures.

        Raises:
            TooManyGuesses: saying when to try again.
        """
        for key, policy in self._buckets(guess):
            decision = await self.limits.take(key, policy, 0)
            if decision.remaining < 1:
                pause = policy.window / policy.quota
                raise TooManyGuesses(decision.reset - (policy.capacity - 1) * pause)

    async def failed(self, guess: Guess) -> None:
        """Count a failure."""
        for key, policy in self._buckets(guess):
            await self.limits.take(key, policy)

    async def failures(self, guess: Guess) -> int:
        """How many failures at the account are not yet forgotten."""
        decision = await self.limits.take(guess.bucket, self._by_account(), 0)
        return decision.limit - decision.remaining

    def _by_account(self) -> LimitPolicy:
        return LimitPolicy("login-account", self.policy.per_account, self.policy.window)

    def _buckets(self, guess: Guess) -> Iterator[tuple[str, LimitPolicy]]:
        policy, origin = self.policy, guess.origin
        by_address = LimitPolicy("login-address", policy.per_address, policy.window)
        yield origin.network, by_address
        yield guess.bucket, self._by_account()
        if not guess.familiar:
            by_network = LimitPolicy("login-network", policy.per_network, policy.window)
            yield origin.neighbourhood, by_network
            by_tenant = LimitPolicy("login-tenant", policy.per_tenant, policy.window)
            yield guess.tenant, by_tenant
