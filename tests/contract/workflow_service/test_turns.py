"""What waits in a store is handed out so that tenants take turns."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec

from tests.contract.workflow_service.adapters import Open, Stores, append
from tests.support.executions import at, beginning, completing


async def test_what_is_due_comes_in_turns_and_by_urgency_within_a_tenant(stores: Stores) -> None:
    for name, tenant, priority, due in (
        ("a1", "a", 0, 1),
        ("a2", "a", 0, 2),
        ("a3", "a", 5, 3),
        ("a4", "a", 9, 100),
        ("b1", "b", 0, 4),
        ("c1", "c", 0, 5),
        ("c2", "c", 0, 200),
    ):
        commit = beginning(name, tenant=tenant, priority=priority)
        await append(stores, msgspec.structs.replace(commit, wake_at=at(due)))

    assert await stores.events.due(at(0), 10) == []
    assert list(await stores.events.due(at(10), 10)) == ["a3", "b1", "c1", "a1", "a2"]
    assert list(await stores.events.due(at(10), 3)) == ["a3", "b1", "c1"]
    assert await stores.events.due(at(10), 0) == []


async def test_ten_thousand_due_of_one_tenant_do_not_stand_before_one_of_another(
    stores: Stores,
) -> None:
    many = [beginning(f"m{number}", tenant="many") for number in range(1_000)]
    due = [msgspec.structs.replace(commit, wake_at=at(1)) for commit in many]
    await asyncio.gather(*(stores.events.append(commit) for commit in due))
    single = beginning("single", tenant="other")
    await append(stores, msgspec.structs.replace(single, wake_at=at(5)))

    assert list(await stores.events.due(at(10), 4)).index("single") <= 1


async def test_what_was_left_is_taken_over_in_turns(durable: Open, tmp_path: Path) -> None:
    async with durable(tmp_path, "first") as stores:
        for number in range(20):
            await append(stores, beginning(f"m{number}", tenant="many"))
        await append(stores, beginning("single", tenant="other"))
    async with durable(tmp_path, "second") as stores:
        taken = [await stores.events.take_over("second", 2) for _ in range(11)]

    assert "single" in taken[0]
    assert sum(map(len, taken)) == 21


async def test_open_executions_are_listed_in_pages_with_what_moves_them(stores: Stores) -> None:
    ended = beginning("e0")
    parked = msgspec.structs.replace(beginning("e2", tenant="b"), wake_at=at(9), busy=False)
    await append(stores, ended, completing(ended), beginning("e3"), parked, beginning("e1"))

    first = await stores.events.open_executions(None, 2)
    rest = await stores.events.open_executions((first[-1].tenant, first[-1].execution), 2)

    assert [(row.tenant, row.execution) for row in [*first, *rest]] == [
        ("b", "e2"),
        ("default", "e1"),
        ("default", "e3"),
    ]
    assert (first[0].busy, first[0].wake_at, first[0].sequence) == (False, at(9), 3)
    assert (first[1].busy, first[1].wake_at, first[1].nodes) == (True, None, ("first",))
