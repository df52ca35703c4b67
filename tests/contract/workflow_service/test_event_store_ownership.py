"""What every event store must do for those who own, wake and start executions."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from tests.contract.workflow_service.adapters import Stores, append
from tests.support.executions import at, beginning, following, key
from workflow_service.application.ports import StaleOwner, StartedBefore, VersionConflict
from workflow_service.domain.execution.events import (
    TaskCompleted,
)


async def test_due_are_those_whose_time_has_come_the_urgent_and_the_oldest_first(
    stores: Stores,
) -> None:
    for name, priority, wake in (
        ("late", 0, 3),
        ("urgent", 9, 5),
        ("early", 0, 1),
        ("future", 9, 50),
        ("never", 9, None),
    ):
        commit = beginning(name, priority=priority)
        wake_at = None if wake is None else at(wake)
        await append(stores, msgspec.structs.replace(commit, wake_at=wake_at))

    assert await stores.events.due(at(5), 10) == ["urgent", "early", "late"]
    assert await stores.events.due(at(5), 2) == ["urgent", "early"]
    assert await stores.events.due(at(0), 10) == []
    assert await stores.events.next_wake() == at(1)


async def test_an_execution_without_a_wake_up_is_never_due(stores: Stores) -> None:
    first = msgspec.structs.replace(beginning("e1"), wake_at=at(1))
    await append(stores, first, following(first, wake_at=None))

    assert await stores.events.due(at(1000), 10) == []
    assert await stores.events.next_wake() is None


async def test_one_key_starts_one_execution_only(stores: Stores) -> None:
    starts = [beginning(f"e{n}", idempotency=key("k", fingerprint=f"f{n}")) for n in range(50)]

    found = await asyncio.gather(
        *(stores.events.append(start) for start in starts), return_exceptions=True
    )

    assert found.count(None) == 1
    winner = found.index(None)
    refusals = [error for error in found if isinstance(error, StartedBefore)]
    assert len(refusals) == 49
    assert {(e.execution, e.fingerprint) for e in refusals} == {(f"e{winner}", f"f{winner}")}
    assert [n for n in range(50) if await stores.events.head(f"e{n}")] == [winner]


async def test_whoever_is_told_of_an_earlier_start_finds_it(stores: Stores) -> None:
    async def begun(name: str) -> bool:
        try:
            await stores.events.append(beginning(name, idempotency=key("k")))
        except StartedBefore as before:
            return await stores.events.head(before.execution) is not None
        return True

    assert all(await asyncio.gather(*(begun(f"e{n}") for n in range(50))))


async def test_a_key_is_known_by_its_tenant_and_owner(stores: Stores) -> None:
    await append(stores, beginning("e1", idempotency=key("k")))

    assert await stores.events.started_by("default", "ada", "k") == ("e1", "f")
    assert await stores.events.started_by("default", "bob", "k") is None
    assert await stores.events.started_by("other", "ada", "k") is None
    assert await stores.events.started_by("default", "ada", "other") is None


async def test_an_expired_key_may_be_used_again(stores: Stores) -> None:
    await append(stores, beginning("e1", idempotency=key("k", expires=10)))
    stores.clock.set(at(10))
    assert await stores.events.started_by("default", "ada", "k") is None

    await append(stores, beginning("e2", created_at=at(10), idempotency=key("k")))

    assert await stores.events.started_by("default", "ada", "k") == ("e2", "f")


async def test_a_refused_start_leaves_no_key(stores: Stores) -> None:
    await append(stores, beginning("e1"))

    with pytest.raises(VersionConflict):
        await stores.events.append(beginning("e1", idempotency=key("k")))

    assert await stores.events.started_by("default", "ada", "k") is None


async def test_a_new_owner_takes_over_what_was_left_busy(stores: Stores) -> None:
    await append(stores, beginning("e1"), idle := beginning("e2"), beginning("e3"))
    await append(stores, following(idle, busy=False))

    assert sorted(await stores.events.take_over("second", 10)) == ["e1", "e3"]

    assert not await stores.events.take_over("second", 10)
    heads = [await stores.events.head(name) for name in ("e1", "e2", "e3")]
    assert [head.epoch for head in heads if head] == [1, 0, 1]


async def test_taking_over_goes_in_steps(stores: Stores) -> None:
    await append(stores, *(beginning(f"e{n}") for n in range(5)))

    taken = [await stores.events.take_over("second", 2) for _ in range(4)]

    assert [len(some) for some in taken] == [2, 2, 1, 0]
    assert len({execution for some in taken for execution in some}) == 5


async def test_an_owner_does_not_take_over_from_itself(stores: Stores) -> None:
    await append(stores, beginning("e1"))

    assert not await stores.events.take_over("first", 10)


async def test_a_stale_owner_is_refused_and_changes_nothing(stores: Stores) -> None:
    first = beginning("e1")
    await append(stores, first)
    await stores.events.take_over("second", 10)

    with pytest.raises(StaleOwner):
        await stores.events.append(following(first))
    await stores.events.append(following(first, TaskCompleted("/do/0/first"), epoch=1))

    assert [e.event for e in await stores.events.read("e1", after=3)] == [
        TaskCompleted("/do/0/first")
    ]
