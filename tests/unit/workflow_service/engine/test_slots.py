"""Who gets room: never too many, never idle while somebody waits, tenants in turns."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from workflow_service.application.engine.slots import Asked, FairGate, Room, Slots

TENANTS = st.sampled_from(["a", "b", "c", "d"])
WEIGHTS = st.dictionaries(TENANTS, st.integers(1, 4))


class Crowd:
    """Everybody at one gate; each holds its place until told to leave."""

    def __init__(self, gate: FairGate) -> None:
        self.gate = gate
        self.entered: list[str] = []
        self.inside: list[str] = []
        self.waiting: list[tuple[str, asyncio.Task[None]]] = []

    async def arrive(self, tenant: str, priority: int = 0) -> None:
        """Somebody comes."""

        async def enter() -> None:
            await self.gate.enter(tenant, priority)
            self.entered.append(f"{tenant}{priority}")
            self.inside.append(tenant)

        self.waiting.append((tenant, asyncio.create_task(enter())))
        await self._settle()

    async def leave(self) -> None:
        """Whoever is in for longest goes."""
        if self.inside:
            self.inside.pop(0)
            self.gate.leave()
            await self._settle()

    async def give_up(self, position: int) -> None:
        """Somebody stops waiting."""
        if self.waiting:
            _, task = self.waiting[position % len(self.waiting)]
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await self._settle()

    async def empty(self) -> None:
        """Let all go, one after the other."""
        while self.inside:
            await self.leave()
        assert not self.waiting

    async def _settle(self) -> None:
        for _ in range(3):
            await asyncio.sleep(0)
        self.waiting = [(tenant, task) for tenant, task in self.waiting if not task.done()]


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


@given(
    capacity=st.integers(1, 4),
    weights=WEIGHTS,
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("arrive"), TENANTS, st.integers(0, 9)),
            st.tuples(st.just("leave"), TENANTS, st.just(0)),
            st.tuples(st.just("give up"), TENANTS, st.integers(0, 9)),
        ),
        max_size=60,
    ),
)
def test_never_more_than_there_are_places_and_none_is_free_while_somebody_waits(
    capacity: int, weights: dict[str, int], steps: list[tuple[str, str, int]]
) -> None:
    async def work() -> None:
        crowd = Crowd(FairGate(capacity, weights))
        for step, tenant, number in steps:
            match step:
                case "arrive":
                    await crowd.arrive(tenant, number)
                case "leave":
                    await crowd.leave()
                case _:
                    await crowd.give_up(number)
            assert len(crowd.inside) <= capacity
            assert len(crowd.inside) == capacity or not crowd.waiting
        await crowd.empty()

    run(work())


@given(
    capacity=st.integers(1, 3),
    weights=WEIGHTS,
    backlog=st.dictionaries(TENANTS, st.integers(0, 40), min_size=1),
    late=TENANTS,
)
def test_nobody_waits_for_more_than_a_round_of_the_others(
    capacity: int, weights: dict[str, int], backlog: dict[str, int], late: str
) -> None:
    async def work() -> None:
        crowd = Crowd(FairGate(capacity, weights))
        for tenant, count in backlog.items():
            for _ in range(count if tenant != late else 0):
                await crowd.arrive(tenant)
        before = len(crowd.entered)
        await crowd.arrive(late)
        while f"{late}0" not in crowd.entered:
            await crowd.leave()
        others = {tenant for tenant in backlog if tenant != late}
        overtaken = len(crowd.entered) - 1 - before
        assert overtaken <= sum(weights.get(tenant, 1) for tenant in others)
        await crowd.empty()

    run(work())


@given(weights=st.dictionaries(TENANTS, st.integers(1, 5), min_size=2), rounds=st.integers(1, 4))
def test_while_all_have_something_to_do_each_gets_its_weight_in_every_round(
    weights: dict[str, int], rounds: int
) -> None:
    async def work() -> None:
        crowd = Crowd(FairGate(1, weights))
        await crowd.arrive("first")
        for tenant, weight in weights.items():
            for _ in range(weight * rounds + 1):
                await crowd.arrive(tenant)
        size = sum(weights.values())
        for _ in range(size * rounds):
            await crowd.leave()
        shares = Counter(entered[:-1] for entered in crowd.entered[1 : 1 + size * rounds])
        assert shares == {tenant: weight * rounds for tenant, weight in weights.items()}
        await crowd.empty()

    run(work())


async def test_of_one_tenant_higher_priorities_come_first_then_the_first() -> None:
    crowd = Crowd(FairGate(1))
    for priority in (0, 1, 9, 1):
        await crowd.arrive("a", priority)
    await crowd.empty()

    assert crowd.entered == ["a0", "a9", "a1", "a1"]


async def test_a_priority_overtakes_no_other_tenant() -> None:
    crowd = Crowd(FairGate(1))
    for tenant, priority in (("a", 0), ("b", 0), ("a", 9), ("a", 9), ("a", 9)):
        await crowd.arrive(tenant, priority)
    await crowd.empty()

    assert crowd.entered.index("b0") <= 2


async def test_ten_thousand_effects_of_one_tenant_delay_one_of_another_by_a_few_places() -> None:
    slots = Slots(Room(process=4, tenant=4, execution=4, host=4))
    begun: list[str] = []

    async def effect(asked: Asked) -> None:
        async with slots.room(asked):
            begun.append(asked.tenant)
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        for number in range(10_000):
            group.create_task(effect(Asked(f"e{number % 100}", "many", 9, "host")))
        await asyncio.sleep(0)
        before = len(begun)
        group.create_task(effect(Asked("single", "other", 0, "host")))

    assert begun.index("other") - before <= 12
    assert len(begun) == 10_001
    assert (slots.waiting, slots.gates) == (0, 0)


async def test_an_execution_a_tenant_or_a_host_beyond_its_share_keeps_nobody_else_waiting() -> None:
    told: list[str] = []
    slots = Slots(Room(process=10, tenant=3, execution=2, host=1), told.append)
    entered: list[str] = []
    release = asyncio.Event()

    async def effect(execution: str, tenant: str, host: str | None = None) -> None:
        async with slots.room(Asked(execution, tenant, 0, host)):
            entered.append(execution)
            await release.wait()

    asked = [
        *[("wide", "a", None)] * 5,
        *[("second", "a", None)] * 5,
        ("b1", "b", "slow"),
        ("b2", "b", "slow"),
        ("c", "c", "quick"),
    ]
    tasks = [asyncio.create_task(effect(*each)) for each in asked]
    for _ in range(5):
        await asyncio.sleep(0)

    assert Counter(entered) == {"wide": 2, "second": 1, "b1": 1, "c": 1}
    assert set(told) == {"effects_per_execution", "effects_per_tenant", "effects_per_host"}
    release.set()
    await asyncio.gather(*tasks)
    assert len(entered) == len(asked)
    assert slots.gates == 0


async def test_who_gives_up_while_waiting_leaves_nothing_behind() -> None:
    slots = Slots(Room(process=1))
    release = asyncio.Event()

    async def effect(execution: str) -> None:
        async with slots.room(Asked(execution, "a", 0)):
            await release.wait()

    first, second = asyncio.create_task(effect("1")), asyncio.create_task(effect("2"))
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
    release.set()
    await first

    assert (slots.waiting, slots.gates) == (0, 0)
    async with asyncio.timeout(20):
        await effect("3")
