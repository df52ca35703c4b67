"""Large values are stored once, come back as they were, and go with the last execution that has them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from chassis.errors import Conflict
from tests.contract.workflow_service.adapters import Open, Stores, append
from tests.support.executions import accepted, at, beginning, completing, following, key
from workflow_service.application.ports import Commit, ExecutionFilter
from workflow_service.domain.execution.events import TaskCompleted
from workflow_service.domain.execution.problem import runtime
from workflow_service.domain.execution.state import ROOT, Frame, Looping
from workflow_service.domain.execution.state import Open as OpenState
from workflow_service.domain.execution.workflow_events import WorkflowRetried
from workflow_service.domain.expressions import JsonValue

LARGE: JsonValue = {"text": "ä" * 70_000, "n": 12345678901234567890123, "x": 1.0}
OTHER: JsonValue = ["b" * 70_000, None, {"": []}]


def large_beginning(execution: str, value: JsonValue = LARGE, **changes: Any) -> Commit:
    return beginning(execution, accepted(execution, value), input=value, **changes)


async def test_large_inputs_and_outputs_come_back_wherever_they_are_read(stores: Stores) -> None:
    first = large_beginning("e1")
    last = completing(first, OTHER)
    await append(stores, first, last)

    assert [e.event for e in await stores.events.read("e1")] == [*first.events, *last.events]
    stored = await stores.events.load("e1")
    assert stored is not None
    assert [e.event for e in stored.events] == [*first.events, *last.events]
    assert stored.head.summary == last.summary == await stores.summaries.get("default", "e1")
    listed = await stores.summaries.list(ExecutionFilter(tenant="default"), 10, None)
    assert listed.items == (last.summary,)


async def test_a_page_may_begin_and_end_between_large_events(stores: Stores) -> None:
    facts = [TaskCompleted(f"/do/{n}/t", output={"n": n, "large": LARGE}) for n in range(20)]
    await append(stores, first := beginning("e1"), following(first, *facts))

    assert [e.event for e in await stores.events.read("e1", after=10, limit=5)] == facts[7:12]


async def test_a_value_that_comes_again_and_again_is_one_row(stores: Stores) -> None:
    first = large_beginning("e1")
    copies = [msgspec.json.decode(msgspec.json.encode(LARGE)) for _ in range(5)]
    second = following(first, *(TaskCompleted("/do/0/t", output=each) for each in copies))
    wrapped = following(
        second, *(TaskCompleted("/do/0/t", output={"n": n, "of": LARGE}) for n in range(5))
    )
    assert await stores.payloads_kept() == 0
    await append(stores, first, second, wrapped, completing(wrapped, LARGE))

    assert await stores.payloads_kept() == 1


async def test_executions_of_a_tenant_share_a_value_and_tenants_do_not(stores: Stores) -> None:
    await append(stores, large_beginning("e1"), large_beginning("e2"))
    assert await stores.payloads_kept() == 1

    await append(stores, large_beginning("e3", tenant="other"))

    assert await stores.payloads_kept() == 2
    assert (await stores.events.read("e3"))[0].event == accepted("e3", LARGE)


async def test_small_values_stay_where_they_are(stores: Stores) -> None:
    first = beginning("e1", accepted("e1", "small"))
    await append(stores, first, completing(first, "y" * 200))

    assert await stores.payloads_kept() == 0


async def test_an_input_that_looks_like_a_reference_stays_what_it_is(stores: Stores) -> None:
    await append(stores, large_beginning("e1"))
    forged: JsonValue = [[["input"], "0" * 64, 70_000]]
    first = beginning("e2", accepted("e2", forged), input=forged)
    await append(stores, first)

    assert (await stores.events.read("e2"))[0].event == first.events[0]


async def test_a_snapshot_with_large_values_comes_back(stores: Stores) -> None:
    loop = Frame(
        "/do/0/l", "/do/0/l", ROOT, LARGE, LARGE, Looping([OTHER, 2], 1), data={"in": LARGE}
    )
    state = OpenState(
        "e1", "shop", "order", "1.0.0", "d", "default", "ada", LARGE, at(0), frames={loop.id: loop}
    )
    first = large_beginning("e1")
    second = following(first, snapshot=state)
    third = following(second, snapshot=msgspec.structs.replace(state, effects=1))
    await append(stores, first, second, third)

    stored = await stores.events.load("e1")

    assert stored is not None
    assert stored.snapshot == third.snapshot
    assert await stores.payloads_kept() == 2


async def test_a_retry_with_another_large_input_is_told_so(stores: Stores) -> None:
    first = large_beginning("e1")
    problem = runtime("x" * 70_000)
    summary = msgspec.structs.replace(
        first.summary, status="faulted", problem=problem, ended_at=at(1)
    )
    faulted = msgspec.structs.replace(following(first), summary=summary)
    position = OpenState("e1", "shop", "order", "1.0.0", "d", "default", "ada", OTHER, at(0))
    renewed = msgspec.structs.replace(first.summary, input=OTHER)
    again = following(faulted, WorkflowRetried(position), summary=renewed)

    for commit in (first, faulted, again, completing(again)):
        await append(stores, commit)
        head = await stores.events.head("e1")
        assert head is not None
        assert head.summary == commit.summary


async def test_a_refused_commit_leaves_no_value_behind(stores: Stores) -> None:
    first = beginning("e1", idempotency=key("k"))
    await append(stores, first)
    again = msgspec.structs.replace(large_beginning("e2"), idempotency=key("k"))

    late = following(following(first), TaskCompleted("/do/0/t", output=LARGE))
    for refused in (large_beginning("e1"), late, again):
        with pytest.raises(Conflict):
            await stores.events.append(refused)

    assert await stores.payloads_kept() == 0


async def test_large_values_survive_the_process(durable: Open, tmp_path: Path) -> None:
    first = large_beginning("e1")
    async with durable(tmp_path, "first") as stores:
        await append(stores, first)
    async with durable(tmp_path, "second") as stores:
        assert [e.event for e in await stores.events.read("e1")] == list(first.events)
        await append(stores, last := completing(first, LARGE))
        assert (await stores.events.read("e1", after=1))[0].event == last.events[0]
        assert await stores.payloads_kept() == 1


async def test_few_large_events_are_read_at_a_time_and_all_in_the_end(
    durable: Open, tmp_path: Path
) -> None:
    facts = [TaskCompleted(f"/do/{n}/t", output=f"{n}" + "x" * 900_000) for n in range(8)]
    async with durable(tmp_path, "first") as stores:
        await append(stores, first := beginning("e1"), following(first, *facts))
        found: list[int] = []
        while page := await stores.events.read("e1", after=found[-1] if found else 3):
            assert len(page) <= 3
            found += [each.sequence for each in page]

    assert found == list(range(4, 12))
