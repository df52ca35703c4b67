"""Who may use what is scarce, and in which order: the engine's scheduler.

A *gate* has a bounded number of places. Whoever waits for one stands in the line of its tenant: higher priorities
first, then first come. The lines take turns: in each round a tenant gets as many places as its weight says, and what it
has no use for is lost to it (deficit round robin, where everybody costs the same). So a tenant waits for a few places of
each of the others at the most, however long their lines are, and no place stays free while anybody waits.

A priority ranks the work of one tenant. It is no means of overtaking another one.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Final, TypeAlias

_Turn: TypeAlias = asyncio.Future[None]
_NO_WEIGHTS: Mapping[str, int] = {}


@dataclass(slots=True)
class _Line:
    """Those of one tenant who wait."""

    waiting: list[tuple[int, int, _Turn]] = field(default_factory=list)
    credit: int = 0

    def next(self) -> _Turn | None:
        """Take out who is next; None when nobody is left."""
        while self.waiting:
            *_, turn = heapq.heappop(self.waiting)
            if not turn.done():
                return turn
        return None


class FairGate:
    """So many places, given to tenants in turns.

    Args:
        capacity: how many there are.
        weights: how many places a tenant gets in a round; 1 if it is not named.
        on_wait: called when somebody has to wait.
    """

    __slots__ = ("_free", "_lines", "_on_wait", "_order", "_weights", "users")

    def __init__(
        self,
        capacity: int,
        weights: Mapping[str, int] = _NO_WEIGHTS,
        on_wait: Callable[[], None] = lambda: None,
    ) -> None:
        self._free = capacity
        self._weights = weights
        self._on_wait = on_wait
        self._order = count()
        self._lines: OrderedDict[str, _Line] = OrderedDict()
        self.users = 0
        """How many are at the gate, by their own account: for whoever keeps it."""

    async def enter(self, tenant: str, priority: int) -> None:
        """Take a place; every return must be followed by ``leave``."""
        if self._free > 0:  # then nobody waits: see _hand_out
            self._free -= 1
            return
        self._on_wait()
        turn: _Turn = asyncio.get_running_loop().create_future()
        line = self._lines.setdefault(tenant, _Line())
        heapq.heappush(line.waiting, (-priority, next(self._order), turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.leave()  # the place had been handed over already
            raise

    def leave(self) -> None:
        """Give a place back, to whoever is next."""
        self._free += 1
        self._hand_out()

    def place(self, tenant: str, priority: int) -> Place:
        """Hold a place: `async with`."""
        return Place(self, tenant, priority)

    def _hand_out(self) -> None:
        """Give free places to who is next, until none is free or nobody waits."""
        while self._free > 0 and self._lines:
            tenant, line = next(iter(self._lines.items()))
            turn = line.next()
            if turn is None:
                del self._lines[tenant]
                continue
            if line.credit == 0:
                line.credit = self._weights.get(tenant, 1)
            self._free -= 1
            line.credit -= 1
            turn.set_result(None)
            if line.credit == 0:
                self._lines.move_to_end(tenant)


class Place:
    """Inside, a place of a gate is held. A class, since a generator costs some times as much."""

    __slots__ = ("_gate", "_priority", "_tenant")

    def __init__(self, gate: FairGate, tenant: str, priority: int) -> None:
        self._gate = gate
        self._tenant = tenant
        self._priority = priority

    async def __aenter__(self) -> None:
        await self._gate.enter(self._tenant, self._priority)

    async def __aexit__(self, *_: object) -> None:
        self._gate.leave()


@dataclass(frozen=True, slots=True)
class Room:
    """How many effects may be under way at the same time."""

    process: int = 200
    tenant: int = 160
    """Less than the process has: what is left is there at once for everybody else."""
    execution: int = 64
    host: int = 32
    weights: Mapping[str, int] = field(default_factory=dict)
    """How many effects a tenant begins in a round; 1 if it is not named."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks for room, for what."""

    execution: str
    tenant: str
    priority: int
    host: str | None = None


class Slots:
    """Room for effects.

    An effect passes four gates, from the inner bounds to the outer ones: its execution's, its tenant's, its host's, the
    process's. Since all pass them in the same order nobody waits in a circle, and since who waits for an inner bound
    holds no place of an outer one, an execution or a tenant beyond its share keeps nobody else waiting.
    """

    def __init__(
        self, room: Room | None = None, on_wait: Callable[[str], None] = lambda _: None
    ) -> None:
        self._room = room or Room()
        self._on_wait = on_wait
        self._gates: dict[tuple[str, str], FairGate] = {}
        self._process = self._gate("effects", self._room.process)
        self._waiting = 0

    @property
    def waiting(self) -> int:
        """How many effects wait for room."""
        return self._waiting

    @property
    def gates(self) -> int:
        """How many gates are kept for executions, tenants and hosts: one while anybody is at it."""
        return len(self._gates)

    @asynccontextmanager
    async def room(self, asked: Asked) -> AsyncIterator[None]:
        """Hold room for one effect."""
        keys = _keys(asked)
        gates = [self._kept(key) for key in keys]
        held: list[FairGate] = []
        self._waiting += 1
        try:
            try:
                for gate in (*gates, self._process):
                    await gate.enter(asked.tenant, asked.priority)
                    held.append(gate)
            finally:
                self._waiting -= 1
            yield
        finally:
            for gate in reversed(held):
                gate.leave()
            for key, gate in zip(keys, gates, strict=True):
                self._forget(key, gate)

    def _kept(self, key: tuple[str, str]) -> FairGate:
        gate = self._gates.get(key)
        if gate is None:
            kind = key[0]
            capacity = {
                _EXECUTION: self._room.execution,
                _TENANT: self._room.tenant,
                _HOST: self._room.host,
            }[kind]
            gate = self._gates[key] = self._gate(kind, capacity)
        gate.users += 1
        return gate

    def _forget(self, key: tuple[str, str], gate: FairGate) -> None:
        gate.users -= 1
        if gate.users == 0:
            del self._gates[key]

    def _gate(self, limit: str, capacity: int) -> FairGate:
        return FairGate(capacity, self._room.weights, lambda: self._on_wait(limit))


_EXECUTION: Final = "effects_per_execution"
_TENANT: Final = "effects_per_tenant"
_HOST: Final = "effects_per_host"


def _keys(asked: Asked) -> list[tuple[str, str]]:
    keys = [(_EXECUTION, asked.execution), (_TENANT, asked.tenant)]
    if asked.host is not None:
        keys.append((_HOST, asked.host))
    return keys
