"""Tenants' events are heard side by side, each tenant's in order."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from chassis.errors import Unavailable
from chassis.lifecycle import Supervisor
from tests.simulation.memory_events import MemoryEvents, MemoryIntake
from tests.support.executions import at
from tests.support.time import eventually
from workflow_service.application.engine.lanes import Lanes
from workflow_service.application.event_ports import Arrived
from workflow_service.application.ports import InboundEvent
from workflow_service.domain.events import ReceivedEvent


class Intake(MemoryIntake):
    """One whose readers wait a little."""

    async def wait(self, after: int) -> None:
        await asyncio.sleep(0.001)


@dataclass(frozen=True)
class Distracted(Intake):
    """One whose reader is not the one who reads for all just when it wants to read what it has seen, twice."""

    looks: Iterator[int] = field(default_factory=itertools.count)

    async def read(self, after: int, limit: int, tenant: str | None = None) -> Sequence[Arrived]:
        wanted = [(), (), await super().read(after, limit, tenant)]
        return wanted[min(next(self.looks), 2)]


@dataclass(frozen=True)
class Late(Intake):
    """One whose reader sees a further event while what it saw before turns out not to be readable."""

    looks: Iterator[int] = field(default_factory=itertools.count)
    read_in_vain: asyncio.Event = field(default_factory=asyncio.Event)

    async def owners(self, after: int, limit: int) -> Sequence[tuple[int, str]]:
        if next(self.looks) == 1:
            await self.read_in_vain.wait()
            arrive(self.events, "a-2")
        return await super().owners(after, limit)

    async def read(self, after: int, limit: int, tenant: str | None = None) -> Sequence[Arrived]:
        if not self.read_in_vain.is_set():
            self.read_in_vain.set()
            return ()
        return await super().read(after, limit, tenant)


class Ears:
    """Hear, as long as nobody holds them up."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str]] = []
        self.held: dict[str, asyncio.Event] = {}
        self.fails = 0

    async def __call__(self, tenant: str, events: Sequence[ReceivedEvent]) -> None:
        if tenant in self.held:
            await self.held[tenant].wait()
        if self.fails:
            self.fails -= 1
            raise Unavailable("not now", retry_after=0)
        self.heard += [(tenant, event.text("id")) for event in events]


@asynccontextmanager
async def reading(
    events: MemoryEvents, ears: Ears, of: type[MemoryIntake] = Intake
) -> AsyncIterator[None]:
    supervisor = Supervisor(deadline=0.01)
    async with supervisor:
        lanes = Lanes(of(events), "reader", ears, supervisor)
        _ = supervisor.start("lanes", lanes.run())
        yield
        await supervisor.stop(deadline=0.01)


def arrive(events: MemoryEvents, *names: str) -> None:
    for name in names:
        tenant = name.partition("-")[0]
        sent = InboundEvent(tenant=tenant, sender="x", id=name, source="/s", type="t")
        events.add(sent, at(0))


async def test_a_tenant_is_not_held_up_by_another_one() -> None:
    events, ears = MemoryEvents(), Ears()
    ears.held["slow"] = asyncio.Event()
    async with reading(events, ears):
        arrive(events, "slow-1", "quick-1", "slow-2", "quick-2")
        await eventually(lambda: ("quick", "quick-2") in ears.heard)
        arrive(events, "quick-3")
        await eventually(lambda: ("quick", "quick-3") in ears.heard)

        assert events.readers.get("reader") == 0  # what the slow one has not heard must not be lost
        ears.held["slow"].set()
        await eventually(lambda: events.readers.get("reader") == 5)

    assert [name for tenant, name in ears.heard if tenant == "slow"] == ["slow-1", "slow-2"]
    assert [name for tenant, name in ears.heard if tenant == "quick"] == [
        "quick-1",
        "quick-2",
        "quick-3",
    ]


async def test_a_new_reader_goes_on_where_the_slowest_was() -> None:
    events, ears = MemoryEvents(), Ears()
    ears.held["slow"] = asyncio.Event()
    async with reading(events, ears):
        arrive(events, "quick-1", "slow-1")
        await eventually(lambda: events.readers.get("reader") == 1)
    again = Ears()
    async with reading(events, again):
        await eventually(lambda: events.readers.get("reader") == 2)

    assert again.heard == [("slow", "slow-1")]


async def test_what_could_not_be_heard_is_heard_later() -> None:
    events, ears = MemoryEvents(), Ears()
    ears.fails = 1
    async with reading(events, ears):
        arrive(events, "a-1", "a-2")
        await eventually(lambda: events.readers.get("reader") == 2)

    assert ears.heard == [("a", "a-1"), ("a", "a-2")]


async def test_what_was_seen_and_could_not_be_read_is_not_passed() -> None:
    events, ears = MemoryEvents(), Ears()
    async with reading(events, ears, Distracted):
        arrive(events, "a-1", "b-1")
        await eventually(lambda: events.readers.get("reader") == 2)

    assert sorted(ears.heard) == [("a", "a-1"), ("b", "b-1")]


async def test_what_could_not_be_read_is_heard_before_what_was_seen_after_it() -> None:
    events, ears = MemoryEvents(), Ears()
    arrive(events, "a-1")
    async with reading(events, ears, Late):
        await eventually(lambda: events.readers.get("reader") == 2)

    assert ears.heard == [("a", "a-1"), ("a", "a-2")]
