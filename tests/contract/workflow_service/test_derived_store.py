"""What follows from the log of a shared store: seen by everybody at once, whoever dies or is late before it is written."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from chassis.clock import SystemClock
from chassis.errors import Unavailable
from chassis.lifecycle import Supervisor
from chassis.storage.jobs import StoreUnavailable
from chassis.storage.mongo import MongoDatabase
from chassis.storage.mongo import opened as opened_mongo
from tests.contract.workflow_service.adapters import Stores, append
from tests.contract.workflow_service.test_shared_store import migrated, process
from tests.support.executions import at, beginning, completing, following, key
from tests.support.mongodb import database_url
from tests.support.servers import mongo_url
from tests.support.time import eventually
from workflow_service.adapters.mongo import following as reading_on
from workflow_service.adapters.mongo import holding
from workflow_service.adapters.mongo.deriving import Derivation
from workflow_service.adapters.mongo.stores import MongoStores, opened
from workflow_service.adapters.mongo.writes import Writes
from workflow_service.adapters.payloads import PayloadCodec
from workflow_service.application.ports import (
    Commit,
    ExecutionFilter,
    InboundEvent,
    StaleOwner,
    StartedBefore,
)
from workflow_service.application.projections.announcements import required


@pytest.fixture
def url(tmp_path: Path) -> str:
    return database_url(mongo_url(), tmp_path)


@pytest.fixture
def left(monkeypatch: pytest.MonkeyPatch) -> list[Writes]:
    """What processes have still to write: they stand still behind the log until the patch is undone."""
    left: list[Writes] = []
    real = Derivation.add

    async def add(self: Derivation, place: int, writes: Writes, entries: int) -> None:
        left.append(writes)
        await real(self, place, writes, entries)

    async def stand_still(_: Derivation) -> None:
        """Nothing is begun."""

    monkeypatch.setattr(Derivation, "add", add)
    monkeypatch.setattr(Derivation, "_started", stand_still)
    return left


async def everything(url: str) -> dict[str, Sequence[dict[str, Any]]]:
    """Return what stands in the collections that are derived."""
    async with opened_mongo(url, "workflow") as database:
        names = ("executions", "commits", "idempotency_keys", "intake", "seen", "subscriptions")
        return {name: await contents(database, name) for name in names}


async def contents(database: MongoDatabase, name: str) -> list[dict[str, Any]]:
    return await database.collection(name).find().sort("_id").to_list()


async def ids(stores: Stores) -> list[str]:
    """Return what a list of executions shows."""
    page = await stores.summaries.list(ExecutionFilter(tenant="default"), 100, None)
    return sorted(each.execution for each in page.items)


def event(name: str) -> InboundEvent:
    return InboundEvent(tenant="default", sender="ada", id=name, source="/s", type="t")


@pytest.fixture
def held_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is held is only written when somebody asks, and nobody does what another process is asked for."""
    monkeypatch.setattr(holding, "HOLD", 3_600.0)
    monkeypatch.setattr(reading_on, "STALLED", 3_600.0)


@asynccontextmanager
async def service(url: str, node: str) -> AsyncIterator[MongoStores]:
    """One of the processes that share the database at *url*, as the service opens it."""
    clock, codec = SystemClock(), PayloadCodec()
    async with (
        opened(url, node=node, clock=clock, wanted=required, codec=codec) as stores,
        Supervisor() as supervisor,
    ):
        _ = supervisor.start("signs-of-life", stores.presence.run(nobody_died))
        yield stores


async def nobody_died() -> None:
    raise AssertionError


@asynccontextmanager
async def services(url: str) -> AsyncIterator[tuple[MongoStores, MongoStores]]:
    """Two of them that know of each other."""
    async with service(url, "one") as one, service(url, "two") as two:
        await eventually(lambda: bool(one.presence.alive and two.presence.alive), within=60)
        yield one, two


@pytest.mark.usefixtures("held_for_ever")
async def test_what_goes_on_is_written_once_when_it_ends_or_the_process_leaves(url: str) -> None:
    async with opened_mongo(url, "workflow") as database:
        async with service(url, "one") as one:
            for commit in (first := beginning("e1"), beginning("e2"), completing(first)):
                await one.events.append(commit)

            async def some() -> bool:
                return bool(await contents(database, "executions"))

            await eventually(some, within=60)
            (found,) = await contents(database, "executions")
            assert (found["_id"], found["status"]) == ("e1", "completed")
            assert len(await contents(database, "commits")) == 3
        left = await contents(database, "executions")
    assert [each["status"] for each in left] == ["completed", "running"]


@pytest.mark.usefixtures("held_for_ever")
async def test_what_a_process_holds_it_writes_when_another_one_asks(url: str) -> None:
    async with services(url) as (one, two):
        for number in range(5):
            name = f"e{number}"
            await one.events.append(begun := beginning(name))
            assert await two.summaries.get("default", name) is not None
            await one.events.append(going := following(begun))
            page = await two.summaries.list(ExecutionFilter(tenant="default"), 100, None)
            assert len(page.items) == number + 1
            assert [each.sequence for each in await two.events.read(name)] == [1, 2, 3, 4]
            await two.events.append(completing(going))
            ended = await one.summaries.get("default", name)
            assert ended is not None
            assert ended.status == "completed"


@pytest.mark.usefixtures("held_for_ever")
async def test_what_is_to_be_woken_soon_every_process_finds_without_asking(url: str) -> None:
    async with services(url) as (one, two):
        soon = datetime.now(UTC) + timedelta(seconds=1)
        await one.events.append(replace(beginning("e1"), wake_at=soon))

        async def known() -> bool:
            return await two.events.next_wake() is not None

        await eventually(known, within=60)


@pytest.mark.usefixtures("held_for_ever")
async def test_open_executions_are_counted_whether_they_are_written_or_not(url: str) -> None:
    counts: list[int] = []
    async with service(url, "one") as one:

        async def counted(*commits: Commit, tenant: str = "default") -> None:
            for commit in commits:
                await one.events.append(commit)
            counts.append(await one.events.count_open(tenant, 3))

        commits = [beginning(f"e{number}") for number in range(4)]
        for commit in commits:
            await counted(commit)
        _ = await one.summaries.list(ExecutionFilter(tenant="default"), 1, None)
        await counted(*map(completing, commits[:2]))
        await counted(beginning("e5"))
        await counted(tenant="other")
    assert counts == [1, 2, 3, 3, 2, 3, 0]


async def test_what_one_process_has_committed_every_process_sees_at_once(url: str) -> None:
    async with process(url, "one") as one, process(url, "two") as two:
        for number in range(10):
            name = f"e{number}"
            await append(one, beginning(name, idempotency=key(name)))

            head = await two.events.head(name)
            assert head is not None
            assert head.sequence == 3
            assert await two.summaries.get("default", name) is not None
            assert await two.events.started_by("default", "ada", name) == (name, "f")
            assert [each.sequence for each in await two.events.read(name)] == [1, 2, 3]
            assert len(await ids(two)) == number + 1


async def test_an_event_is_read_behind_all_that_came_before_it(url: str) -> None:
    async with process(url, "one") as one, process(url, "two") as two:
        for number in range(20):
            for stores in (one, two):
                await stores.inbound.add([event(f"{number}-{id(stores)}")], at(0))
            arrived = await one.intake.read(0, 100)
            assert [each.event.position for each in arrived] == list(range(1, 2 * number + 3))


async def test_what_a_process_leaves_in_the_log_another_one_carries_out(
    url: str, left: list[Writes], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with process(url, "one") as one:
        await append(one, first := beginning("e1", idempotency=key("k")), beginning("e2"))
        await append(one, second := following(first))
        await one.inbound.add([event("i1")], at(0))
    monkeypatch.undo()
    assert not (await everything(url))["executions"]

    async with process(url, "two") as two:
        assert await ids(two) == ["e1", "e2"]
        assert [each.sequence for each in await two.events.read("e1")] == [1, 2, 3, 4]
        assert await two.events.started_by("default", "ada", "k") == ("e1", "f")
        with pytest.raises(StartedBefore):
            await append(two, beginning("e3", idempotency=key("k", fingerprint="other")))
        assert await two.inbound.add([event("i1")], at(0)) == 0
        assert sorted(await two.events.take_over("two", 10)) == ["e1", "e2"]
        await append(two, completing(replace(second, epoch=1)))


async def test_what_is_carried_out_late_or_twice_changes_nothing(
    url: str, left: list[Writes], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with process(url, "one") as one, process(url, "two") as two:
        await append(one, first := beginning("e1", idempotency=key("k", expires=10)))
        await append(one, second := following(first), beginning("e2"))
        await one.inbound.add([event("i1")], at(0))
        monkeypatch.undo()

        assert sorted(await two.events.take_over("two", 10)) == ["e1", "e2"]
        with pytest.raises(StaleOwner):
            await append(one, following(second))
        two.clock.set(at(10))
        await append(two, completing(replace(second, epoch=1)))
        await append(two, beginning("e3", created_at=at(10), idempotency=key("k")))
        assert await ids(one) == ["e1", "e2", "e3"]
        before = await everything(url)

        async with opened_mongo(url, "workflow") as database:
            for again in (*left, Writes.together(left), *reversed(left)):
                await again.apply(database)

    assert await everything(url) == before
    assert [each["status"] for each in before["executions"]] == ["completed", "running", "running"]


async def test_an_execution_that_moves_between_processes_loses_nothing(url: str) -> None:
    async with process(url, "one") as one, process(url, "two") as two:
        commits = {f"e{n}": beginning(f"e{n}") for n in range(10)}
        await append(one, *commits.values())
        for stores in (two, one, two, two, one, one, two):
            commits = {name: following(commit) for name, commit in commits.items()}
            await asyncio.gather(*map(stores.events.append, commits.values()))
        other = {name: completing(commit) for name, commit in commits.items()}
        await asyncio.gather(*map(one.events.append, other.values()))

        for name in commits:
            stored = await two.events.load(name)
            assert stored is not None
            assert [each.sequence for each in stored.events] == list(range(1, 12))
            assert stored.head.summary.status == "completed"


async def test_who_starts_anew_reads_only_what_may_not_be_carried_out(url: str) -> None:
    async with process(url, "one") as one, opened_mongo(url, "workflow") as database:
        await append(one, *(beginning(f"e{n}") for n in range(5)))

        async def marked() -> bool:
            (mark,) = await contents(database, "derived")
            return bool(mark["place"] == 6)

        await eventually(marked, within=30)
        log = await contents(database, "log")
        await database.collection("log").delete_many({"_id": {"$lt": log[-1]["_id"]}})

    async with process(url, "two") as two:
        await append(two, beginning("e5"))
        assert await ids(two) == [f"e{n}" for n in range(6)]


async def test_who_starts_clears_away_what_nobody_waits_for_any_more(url: str) -> None:
    async with opened_mongo(url, "workflow") as database, migrated(database):
        marks: list[dict[str, Any]] = [
            {"_id": "*", "place": 10, "intake": 0},
            {"_id": "done", "place": 9, "asked": 7},
            {"_id": "never asked", "place": 9},
            {"_id": "asked", "place": 9, "asked": 12},
        ]
        await database.collection("derived").insert_many(marks)

        async with process(url, "one") as one:
            assert await ids(one) == []

        left = [mark["_id"] for mark in await contents(database, "derived")]
    assert left == ["*", "asked"]


async def test_a_store_that_fails_while_it_is_written_behind_is_written_in_the_end(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, failures = Writes.apply, 3

    async def fails_at_first(self: Writes, database: MongoDatabase) -> None:
        nonlocal failures
        failures -= 1
        if failures >= 0:
            raise StoreUnavailable("the store failed")
        await real(self, database)

    monkeypatch.setattr(Writes, "apply", fails_at_first)
    async with process(url, "one") as one, process(url, "two") as two:
        await append(one, beginning("e1"))

        async def seen() -> bool:
            try:
                return await ids(two) == ["e1"]
            except Unavailable:
                return False

        await eventually(seen, within=30)
    assert failures < 0
