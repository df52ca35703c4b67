"""What every event store must do."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from tests.contract.workflow_service.adapters import DURABLE_STORES, STORES, Open, Stores
from tests.support.executions import accepted, at, beginning, completing, following, key
from workflow_service.application.ports import Commit, StaleOwner, StartedBefore, VersionConflict
from workflow_service.domain.execution.events import (
    TaskCompleted,
    TaskCreated,
    WorkflowRetried,
    WorkflowStarted,
)
from workflow_service.domain.execution.problem import runtime
from workflow_service.domain.execution.state import Open as OpenState


@pytest.fixture(params=STORES)
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stores]:
    async with STORES[request.param](tmp_path, "first") as opened:
        yield opened


@pytest.fixture(params=DURABLE_STORES)
def durable(request: pytest.FixtureRequest) -> Open:
    return DURABLE_STORES[request.param]


async def put(stores: Stores, *commits: Commit) -> None:
    for commit in commits:
        await stores.events.append(commit)


async def outcomes(stores: Stores, commits: list[Commit]) -> list[type[BaseException] | None]:
    work = [stores.events.append(commit) for commit in commits]
    found = await asyncio.gather(*work, return_exceptions=True)
    return [None if result is None else type(result) for result in found]


async def test_what_was_appended_is_read_in_order_and_numbered_from_one(stores: Stores) -> None:
    first = beginning("e1")
    second = following(first)
    await put(stores, first, second)

    found = await stores.events.read("e1")

    assert [each.sequence for each in found] == [1, 2, 3, 4]
    assert [each.event for each in found] == [*first.events, *second.events]
    assert [each.at for each in found] == [at(0)] * 3 + [at(1)]


async def test_pages_begin_and_end_within_commits(stores: Stores) -> None:
    first = beginning("e1")
    await put(stores, first, second := following(first), following(second))

    assert [e.sequence for e in await stores.events.read("e1", after=1, limit=3)] == [2, 3, 4]
    assert [e.sequence for e in await stores.events.read("e1", after=4)] == [5]
    assert [e.sequence for e in await stores.events.read("e1", after=1, limit=1)] == [2]
    assert not await stores.events.read("e1", after=5)


async def test_histories_do_not_mix(stores: Stores) -> None:
    await put(stores, beginning("e1", accepted("e1")), beginning("e2", accepted("e2")))

    assert [each.event for each in await stores.events.read("e2")] == [accepted("e2")]


async def test_an_execution_begins_once(stores: Stores) -> None:
    await put(stores, beginning("e1"))

    with pytest.raises(VersionConflict):
        await stores.events.append(beginning("e1", accepted("e1", "other")))

    assert len(await stores.events.read("e1")) == 3


async def test_a_writer_that_read_an_older_version_is_refused(stores: Stores) -> None:
    first = beginning("e1")
    await put(stores, first, following(first))

    with pytest.raises(VersionConflict):
        await stores.events.append(following(first, TaskCreated("/do/1/other")))

    assert len(await stores.events.read("e1")) == 4


async def test_an_execution_that_is_not_there_cannot_go_on(stores: Stores) -> None:
    with pytest.raises(VersionConflict):
        await stores.events.append(following(beginning("e1")))


async def test_of_racing_writers_one_wins_and_the_others_change_nothing(stores: Stores) -> None:
    first = beginning("e1")
    await put(stores, first)
    rivals = [following(first, TaskCreated(f"/do/{n}/x")) for n in range(20)]

    found = await outcomes(stores, rivals)

    assert sorted(map(str, found)).count("None") == 1
    assert found.count(VersionConflict) == 19
    winner = rivals[found.index(None)]
    assert [e.event for e in await stores.events.read("e1", after=3)] == list(winner.events)


async def test_a_refused_commit_does_not_disturb_those_beside_it(stores: Stores) -> None:
    commits = [beginning(f"e{n}") for n in range(30)]
    mixed = [commit for pair in zip(commits, commits, strict=True) for commit in pair]

    found = await outcomes(stores, mixed)

    assert (found.count(None), found.count(VersionConflict)) == (30, 30)
    assert [len(await stores.events.read(f"e{n}")) for n in range(30)] == [3] * 30


async def test_load_gives_the_tip_and_all_events(stores: Stores) -> None:
    first = beginning("e1")
    await put(stores, first)

    stored = await stores.events.load("e1")

    assert stored is not None
    assert (stored.head.sequence, stored.head.epoch, stored.head.summary) == (3, 0, first.summary)
    assert (stored.snapshot, stored.snapshot_sequence) == (None, 0)
    assert [each.event for each in stored.events] == list(first.events)


async def test_load_gives_the_newest_snapshot_and_the_events_after_it(stores: Stores) -> None:
    first = beginning("e1")
    second = following(first, snapshot=b'{"type":"old"}')
    third = following(second, snapshot=b'{"type":"new"}')
    await put(stores, first, second, third, fourth := following(third))

    stored = await stores.events.load("e1")

    assert stored is not None
    assert (stored.snapshot, stored.snapshot_sequence) == (b'{"type":"new"}', 5)
    assert [(e.sequence, e.event) for e in stored.events] == [(6, fourth.events[0])]


async def test_what_is_not_there_is_nothing(stores: Stores) -> None:
    assert await stores.events.load("nobody") is None
    assert await stores.events.head("nobody") is None
    assert not await stores.events.read("nobody")


async def test_the_head_has_the_summary_of_the_last_commit(stores: Stores) -> None:
    first = beginning("e1", tags={"team": "a"}, run_at=at(5), priority=7)
    last = completing(first, {"n": 12345678901234567890123, "x": 1.0, "list": [None, True, "ä"]})
    await put(stores, first, last)

    head = await stores.events.head("e1")

    assert head is not None
    assert (head.sequence, head.summary) == (4, last.summary)


async def test_an_execution_taken_up_again_has_no_result_until_its_next_end(stores: Stores) -> None:
    first = beginning("e1")
    faulted = msgspec.structs.replace(
        following(first),
        summary=msgspec.structs.replace(
            first.summary, status="faulted", problem=runtime("no"), ended_at=at(1)
        ),
    )
    position = OpenState("e1", "shop", "order", "1.0.0", "d", "default", "ada", None, at(0))
    renewed = msgspec.structs.replace(first.summary, input="another")
    again = following(faulted, WorkflowRetried(position), summary=renewed)
    await put(stores, first, faulted)
    head = await stores.events.head("e1")
    assert head is not None
    assert head.summary.problem == runtime("no")
    await put(stores, again)
    head = await stores.events.head("e1")
    assert head is not None
    assert head.summary == renewed
    await put(stores, last := completing(again))
    head = await stores.events.head("e1")
    assert head is not None
    assert head.summary == last.summary


async def test_a_commit_without_events_changes_the_summary_only(stores: Stores) -> None:
    first = beginning("e1")
    await put(stores, first, msgspec.structs.replace(first, expected=3, events=(), wake_at=at(9)))

    assert await stores.events.next_wake() == at(9)
    assert len(await stores.events.read("e1")) == 3


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
        await put(stores, msgspec.structs.replace(commit, wake_at=wake_at))

    assert await stores.events.due(at(5), 10) == ["urgent", "early", "late"]
    assert await stores.events.due(at(5), 2) == ["urgent", "early"]
    assert await stores.events.due(at(0), 10) == []
    assert await stores.events.next_wake() == at(1)


async def test_an_execution_without_a_wake_up_is_never_due(stores: Stores) -> None:
    first = msgspec.structs.replace(beginning("e1"), wake_at=at(1))
    await put(stores, first, following(first, wake_at=None))

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


async def test_a_key_is_known_by_its_tenant_and_owner(stores: Stores) -> None:
    await put(stores, beginning("e1", idempotency=key("k")))

    assert await stores.events.started_by("default", "ada", "k") == ("e1", "f")
    assert await stores.events.started_by("default", "bob", "k") is None
    assert await stores.events.started_by("other", "ada", "k") is None
    assert await stores.events.started_by("default", "ada", "other") is None


async def test_an_expired_key_may_be_used_again(stores: Stores) -> None:
    await put(stores, beginning("e1", idempotency=key("k", expires=10)))
    stores.clock.set(at(10))
    assert await stores.events.started_by("default", "ada", "k") is None

    await put(stores, beginning("e2", created_at=at(10), idempotency=key("k")))

    assert await stores.events.started_by("default", "ada", "k") == ("e2", "f")


async def test_a_refused_start_leaves_no_key(stores: Stores) -> None:
    await put(stores, beginning("e1"))

    with pytest.raises(VersionConflict):
        await stores.events.append(beginning("e1", idempotency=key("k")))

    assert await stores.events.started_by("default", "ada", "k") is None


async def test_a_new_owner_takes_over_what_was_left_busy(stores: Stores) -> None:
    await put(stores, beginning("e1"), idle := beginning("e2"), beginning("e3"))
    await put(stores, following(idle, busy=False))

    assert sorted(await stores.events.take_over("second", 10)) == ["e1", "e3"]

    assert not await stores.events.take_over("second", 10)
    heads = [await stores.events.head(name) for name in ("e1", "e2", "e3")]
    assert [head.epoch for head in heads if head] == [1, 0, 1]


async def test_taking_over_goes_in_steps(stores: Stores) -> None:
    await put(stores, *(beginning(f"e{n}") for n in range(5)))

    taken = [await stores.events.take_over("second", 2) for _ in range(4)]

    assert [len(some) for some in taken] == [2, 2, 1, 0]
    assert len({execution for some in taken for execution in some}) == 5


async def test_an_owner_does_not_take_over_from_itself(stores: Stores) -> None:
    await put(stores, beginning("e1"))

    assert not await stores.events.take_over("first", 10)


async def test_a_stale_owner_is_refused_and_changes_nothing(stores: Stores) -> None:
    first = beginning("e1")
    await put(stores, first)
    await stores.events.take_over("second", 10)

    with pytest.raises(StaleOwner):
        await stores.events.append(following(first))
    await stores.events.append(following(first, TaskCompleted("/do/0/first"), epoch=1))

    assert [e.event for e in await stores.events.read("e1", after=3)] == [
        TaskCompleted("/do/0/first")
    ]


async def test_what_was_appended_outlives_the_process(durable: Open, tmp_path: Path) -> None:
    async with durable(tmp_path, "first") as stores:
        first = msgspec.structs.replace(beginning("e1", idempotency=key("k")), wake_at=at(3))
        await put(stores, first)

    async with durable(tmp_path, "second") as stores:
        assert [e.event for e in await stores.events.read("e1")] == list(first.events)
        assert await stores.events.next_wake() == at(3)
        assert await stores.events.started_by("default", "ada", "k") == ("e1", "f")
        assert await stores.events.take_over("second", 10) == ["e1"]


async def test_nothing_acknowledged_is_lost_when_the_process_is_killed(
    durable: Open, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    adapter = request.node.callspec.params["durable"]
    arguments = [sys.executable, "-m", f"{__package__}.appender", adapter, str(tmp_path)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:  # noqa: ASYNC220
        assert process.stdout is not None
        acknowledged = [process.stdout.readline().split() for _ in range(500)]
        process.send_signal(signal.SIGKILL)
        # What it had said before it died counts as well.
        acknowledged += [line.split() for line in process.stdout if line.endswith("\n")]

    async with durable(tmp_path, "second") as stores:
        for execution, sequence in acknowledged:
            head = await stores.events.head(execution)
            assert head is not None
            assert head.sequence >= int(sequence)
            events = await stores.events.read(execution)
            assert [each.sequence for each in events] == list(range(1, head.sequence + 1))
        assert await stores.events.take_over("second", 1000)


async def test_a_large_commit_is_read_in_small_pages(stores: Stores) -> None:
    created = [TaskCreated(f"/do/{n}/t") for n in range(3000)]
    await put(stores, beginning("e1", accepted("e1"), WorkflowStarted(), *created))
    found = 0
    while page := await stores.events.read("e1", after=found, limit=256):
        assert [each.sequence for each in page] == list(range(found + 1, found + 1 + len(page)))
        found += len(page)
    assert found == 3002


@pytest.mark.parametrize("in_flight", [1, 50, 200])
async def test_many_executions_share_a_commit(
    durable: Open, tmp_path: Path, in_flight: int, capsys: pytest.CaptureFixture[str]
) -> None:
    executions = max(50, in_flight * 3)
    waiting = iter(range(executions))

    async def worker(stores: Stores) -> None:
        for number in waiting:
            commit = beginning(f"{in_flight}-{number}")
            await stores.events.append(commit)
            for _ in range(2):
                commit = following(commit)
                await stores.events.append(commit)
            await stores.events.append(completing(commit))

    async with durable(tmp_path, "first") as stores:
        began = time.perf_counter()
        await asyncio.gather(*(worker(stores) for _ in range(in_flight)))
        took = time.perf_counter() - began
        last = await stores.events.head(f"{in_flight}-{executions - 1}")
    assert last is not None
    assert last.summary.status == "completed"
    with capsys.disabled():
        rate = executions * 4 / took
        print(f"\n{in_flight} in flight: {rate:,.0f} appends/s")  # noqa: T201
