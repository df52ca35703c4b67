"""The gate of each host: how many calls it gets at a time, when it is left alone, how often tried again.

The one place that sees every call begin and end, per host.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, TypeAlias

from workflow_service.adapters.egress import measures
from workflow_service.adapters.egress.breaker import (
    Breaker,
    BreakerPolicy,
    Pass,
    RetryBudget,
    State,
    Verdict,
)
from workflow_service.adapters.egress.errors import HostBusy, HostFailing, HostResting

Origin: TypeAlias = tuple[str, str, int]
"""Scheme, host, port."""
_KEPT: Final = 4_096
"""Hosts that are remembered while nobody calls them; those that something is known against count on
top."""


@dataclass(frozen=True, slots=True)
class GatePolicy:
    """What each host is given. Times are seconds."""

    concurrency: int = 32
    waiting: int = 1_000
    """Calls that may wait for a place; further ones fail at once."""
    max_wait: float = 60.0
    """How long a call waits for its turn, and the longest `Retry-After` that is waited out."""
    retry_share: float = 0.1
    """Repetitions of lost connections, as a share of all calls."""
    retry_burst: float = 10.0
    breaker: BreakerPolicy = field(default_factory=BreakerPolicy)


class Visit:
    """One call at a host; whoever makes it says here what came of it."""

    def __init__(self, gate: "_Gate") -> None:
        self._gate = gate
        self.verdict = Verdict.NOTHING

    def may_repeat(self) -> bool:
        """Whether the host's budget has a repetition left; asking takes it."""
        return self._gate.budget.spend()

    def rest(self, seconds: float) -> None:
        """The host asked to be left alone for *seconds*."""
        self._gate.rest(seconds)


class _Gate:
    def __init__(self, name: str, policy: GatePolicy, clock: Callable[[], float]) -> None:
        self._name = name
        self._policy = policy
        self._clock = clock
        self._places = asyncio.Semaphore(policy.concurrency)
        self._rests_until = 0.0
        self._breaker = Breaker(policy.breaker)
        self._shown = State.CLOSED
        self.budget = RetryBudget(policy.retry_share, policy.retry_burst)
        self.visitors = 0

    def rest(self, seconds: float) -> None:
        until = self._clock() + min(seconds, self._policy.max_wait)
        self._rests_until = max(self._rests_until, until)

    @asynccontextmanager
    async def passing(self) -> AsyncIterator[Visit]:
        self._check()
        if self.visitors > self._policy.concurrency + self._policy.waiting:
            raise HostBusy(self._name)
        await self._place()
        held: Pass | None = None
        visit = Visit(self)
        try:
            self._check()
            held = self._breaker.enter()
            self.budget.earn()
            yield visit
        finally:
            self._places.release()
            if held is not None:
                self._breaker.leave(held, visit.verdict, self._clock())
            self._show()

    async def _place(self) -> None:
        """Wait for a place, and for the end of the rest that the host asked for, together bounded."""
        try:
            async with asyncio.timeout(self._policy.max_wait):
                _ = await self._places.acquire()
        except TimeoutError:
            raise HostBusy(self._name) from None
        try:
            await self._rested(self._clock() + self._policy.max_wait)
        except BaseException:
            self._places.release()
            raise

    async def _rested(self, patience: float) -> None:
        while (left := self._rests_until - self._clock()) > 0:
            if self._rests_until > patience:
                raise HostResting(self._name, left)
            await asyncio.sleep(left)

    def _check(self) -> None:
        wait = self._breaker.closed_for(self._clock())
        if wait is not None:
            raise HostFailing(self._name, wait)

    def _show(self) -> None:
        state = self._breaker.state(self._clock())
        if state is not self._shown:
            self._shown = state
            measures.breaker_is(self._name, state.value)

    @property
    def is_forgettable(self) -> bool:
        """Whether a new gate would do the same."""
        now = self._clock()
        closed = self._breaker.state(now) is State.CLOSED
        return not self.visitors and closed and self._rests_until <= now


class HostGates:
    """A gate per host: scheme, name and port."""

    def __init__(
        self, policy: GatePolicy | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._policy = policy or GatePolicy()
        self._clock = clock
        self._gates: OrderedDict[Origin, _Gate] = OrderedDict()

    @asynccontextmanager
    async def passing(self, origin: Origin) -> AsyncIterator[Visit]:
        """Wait for a free place at the host and hold it.

        Raises:
            HostBusy: too many wait already, or one has waited too long.
            HostFailing: the host fails too often and is left alone.
            HostResting: it asked for more time than one may wait.
        """
        gate = self._gate(origin)
        gate.visitors += 1
        try:
            async with gate.passing() as visit:
                yield visit
        finally:
            gate.visitors -= 1

    def __len__(self) -> int:
        """How many hosts are remembered."""
        return len(self._gates)

    def _gate(self, origin: Origin) -> _Gate:
        gate = self._gates.get(origin)
        if gate is None:
            _, host, port = origin
            name = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
            gate = self._gates[origin] = _Gate(name, self._policy, self._clock)
            self._forget()
        self._gates.move_to_end(origin)
        return gate

    def _forget(self) -> None:
        """Drop what rested longest, if a new gate would do the same; the newest is never that."""
        excess = len(self._gates) - _KEPT
        if excess > 0:
            older = islice(self._gates.items(), len(self._gates) - 1)
            idle = (origin for origin, gate in older if gate.is_forgettable)
            for origin in list(islice(idle, excess)):
                del self._gates[origin]
