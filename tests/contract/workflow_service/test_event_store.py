"""What every event store must do: append, refuse, read."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from tests.contract.workflow_service.adapters import Stores, append
from tests.support.executions import accepted, at, beginning, completing, following
from workflow_service.application.ports import Commit, VersionConflict
from workflow_service.domain.execution.events import TaskCreated
from workflow_service.domain.execution.problem import runtime
from workflow_service.domain.execution.state import Ended
from workflow_service.domain.execution.state import Open as OpenState
from workflow_service.domain.execution.workflow_events import WorkflowRetried, WorkflowStarted


async def outcomes(stores: Stores, commits: list[Commit]) -> list[type[BaseException] | None]:
    work = [stores.events.append(commit) for commit in commits]
    found = await asyncio.gather(*work, return_exceptions=True)
    return [None if result is None else type(result) for result in found]


async def test_what_was_appended_is_read_in_order_and_numbered_from_one(stores: Stores) -> None:
    first = beginning("e1")
    second = following(first)
    await append(stores, first, second)

    found = await stores.events.read("e1")

    assert [each.sequence for each in found] == [1, 2, 3, 4]
    assert [each.event for each in found] == [*first.events, *second.events]
    assert [each.at for each in found] == [at(0)] * 3 + [at(1)]


async def test_pages_begin_and_end_within_commits(stores: Stores) -> None:
    first = beginning("e1")
    await append(stores, first, second := following(first), following(second))

    assert [e.sequence for e in await stores.events.read("e1", after=1, limit=3)] == [2, 3, 4]
    assert [e.sequence for e in await stores.events.read("e1", after=4)] == [5]
    assert [e.sequence for e in await stores.events.read("e1", after=1, limit=1)] == [2]
    assert not await stores.events.read("e1", after=5)


async def test_histories_do_not_mix(stores: Stores) -> None:
    await append(stores, beginning("e1", accepted("e1")), beginning("e2", accepted("e2")))

    assert [each.event for each in await stores.events.read("e2")] == [accepted("e2")]


async def test_an_execution_begins_once(stores: Stores) -> None:
    await append(stores, beginning("e1"))

    with pytest.raises(VersionConflict):
        await stores.events.append(beginning("e1", accepted("e1", "other")))

    assert len(await stores.events.read("e1")) == 3


async def test_a_writer_that_read_an_older_version_is_refused(stores: Stores) -> None:
    first = beginning("e1")
    await append(stores, first, following(first))

    with pytest.raises(VersionConflict):
        await stores.events.append(following(first, TaskCreated("/do/1/other")))

    assert len(await stores.events.read("e1")) == 4


async def test_an_execution_that_is_not_there_cannot_go_on(stores: Stores) -> None:
    with pytest.raises(VersionConflict):
        await stores.events.append(following(beginning("e1")))


async def test_of_racing_writers_one_wins_and_the_others_change_nothing(stores: Stores) -> None:
    first = beginning("e1")
    await append(stores, first)
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
    await append(stores, first)

    stored = await stores.events.load("e1")

    assert stored is not None
    assert (stored.head.sequence, stored.head.epoch, stored.head.summary) == (3, 0, first.summary)
    assert (stored.snapshot, stored.snapshot_sequence) == (None, 0)
    assert [each.event for each in stored.events] == list(first.events)


async def test_load_gives_the_newest_snapshot_and_the_events_after_it(stores: Stores) -> None:
    first = beginning("e1")
    old, new = (Ended("completed", at(n), output=n) for n in (1, 2))
    second = following(first, snapshot=old)
    third = following(second, snapshot=new)
    await append(stores, first, second, third, fourth := following(third))

    stored = await stores.events.load("e1")

    assert stored is not None
    assert (stored.snapshot, stored.snapshot_sequence) == (new, 5)
    assert [(e.sequence, e.event) for e in stored.events] == [(6, fourth.events[0])]


async def test_what_is_not_there_is_nothing(stores: Stores) -> None:
    assert await stores.events.load("nobody") is None
    assert await stores.events.head("nobody") is None
    assert not await stores.events.read("nobody")


async def test_the_head_has_the_summary_of_the_last_commit(stores: Stores) -> None:
    first = beginning("e1", tags={"team": "a"}, run_at=at(5), priority=7)
    last = completing(first, {"n": 12345678901234567890123, "x": 1.0, "list": [None, True, "ä"]})
    await append(stores, first, last)

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
    await append(stores, first, faulted)
    head = await stores.events.head("e1")
    assert head is not None
    assert head.summary.problem == runtime("no")
    await append(stores, again)
    head = await stores.events.head("e1")
    assert head is not None
    assert head.summary == renewed
    await append(stores, last := completing(again))
    head = await stores.events.head("e1")
    assert head is not None
    assert head.summary == last.summary


async def test_a_commit_without_events_changes_the_summary_only(stores: Stores) -> None:
    first = beginning("e1")
    await append(
        stores, first, msgspec.structs.replace(first, expected=3, events=(), wake_at=at(9))
    )

    assert await stores.events.next_wake() == at(9)
    assert len(await stores.events.read("e1")) == 3


async def test_a_large_commit_is_read_in_small_pages(stores: Stores) -> None:
    created = [TaskCreated(f"/do/{n}/t") for n in range(3000)]
    await append(stores, beginning("e1", accepted("e1"), WorkflowStarted(), *created))
    found = 0
    while page := await stores.events.read("e1", after=found, limit=256):
        assert [each.sequence for each in page] == list(range(found + 1, found + 1 + len(page)))
        found += len(page)
    assert found == 3002


async def test_counts_the_open_executions_of_a_tenant_no_further_than_asked(stores: Stores) -> None:
    first, second = beginning("e1"), beginning("e2")
    await append(stores, first, second, beginning("e3", tenant="other"), completing(second))

    assert await stores.events.count_open("default", 10) == 1
    assert await stores.events.count_open("other", 10) == 1
    assert await stores.events.count_open("nobody", 10) == 0
    await append(stores, beginning("e4"))
    assert await stores.events.count_open("default", 1) == 1
