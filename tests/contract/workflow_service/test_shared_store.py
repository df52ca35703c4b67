"""What a store must do that several processes share, and that may be away for a while."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from chassis.errors import Unavailable
from chassis.lifecycle import Supervisor
from chassis.messaging.port import CloudEvent
from chassis.storage.jobs import StoreUnavailable
from chassis.storage.mongo import MongoDatabase
from chassis.storage.mongo import opened as opened_mongo
from chassis.storage.mongo_migrations import migrate
from chassis.storage.mongo_presence import Presence
from tests.contract.workflow_service.adapters import Stores, append, mongo_stores
from tests.contract.workflow_service.test_retention import exhausted, relay
from tests.support.executions import at, beginning, completing, following, key
from tests.support.mongodb import Server, database_url
from tests.support.servers import mongo_url
from tests.support.tcp_proxy import TcpProxy
from tests.support.time import eventually
from workflow_service.adapters.mongo import event_store, journal
from workflow_service.adapters.mongo.entries import Tip
from workflow_service.adapters.mongo.journal import Journal
from workflow_service.adapters.mongo.schema import MIGRATIONS
from workflow_service.adapters.mongo.turns import left_by
from workflow_service.adapters.mongo.writes import Writes
from workflow_service.application.ports import (
    Commit,
    InboundEvent,
    StaleOwner,
    VersionConflict,
)

HURRIED = "timeoutMS=1500&serverSelectionTimeoutMS=500"


@asynccontextmanager
async def process(url: str, node: str) -> AsyncIterator[Stores]:
    """One of the processes that share the database at *url*."""
    async with (
        opened_mongo(url, "workflow") as database,
        migrated(database),
        Presence(database, node) as presence,
        Supervisor() as supervisor,
    ):
        yield mongo_stores(database, Journal(database, supervisor, node=node), presence)


@asynccontextmanager
async def migrated(database: MongoDatabase) -> AsyncIterator[None]:
    await migrate(database, MIGRATIONS)
    yield


@pytest.fixture
def url(tmp_path: Path) -> str:
    return database_url(mongo_url(), tmp_path)


async def committing(stores: Stores, name: str, commits: int) -> None:
    """Begin an execution and take it on."""
    await stores.events.append(commit := beginning(name))
    for _ in range(commits - 1):
        commit = following(commit)
        await stores.events.append(commit)


async def outcome(stores: Stores, commit: Commit) -> str:
    try:
        await stores.events.append(commit)
    except VersionConflict:
        return "refused"
    return "won"


async def test_of_two_processes_that_decide_on_the_same_one_wins(url: str) -> None:
    async with process(url, "one") as one, process(url, "two") as two:
        commit = beginning("e1")
        await append(one, commit)
        for _ in range(10):
            commit = following(commit)
            found = await asyncio.gather(outcome(one, commit), outcome(two, commit))
            assert sorted(found) == ["refused", "won"]

        stored = await two.events.load("e1")
        assert stored is not None
        assert [each.sequence for each in stored.events] == list(range(1, 14))


async def test_of_two_processes_one_begins_an_execution(url: str) -> None:
    async with process(url, "one") as one, process(url, "two") as two:
        for number in range(5):
            commit = beginning(f"e{number}")
            found = await asyncio.gather(outcome(one, commit), outcome(two, commit))
            assert sorted(found) == ["refused", "won"]


async def test_a_reader_never_passes_a_commit_that_comes_later(url: str) -> None:
    async with process(url, "one") as one, process(url, "two") as two:
        work = [
            asyncio.ensure_future(committing(stores, f"{name}-{number}", 6))
            for name, stores in (("one", one), ("two", two))
            for number in range(6)
        ]
        told: list[str] = []
        positions: list[int] = []
        while sum(each.endswith("/8") for each in told) < len(work):
            for position, event in await two.log.read_log(positions[-1] if positions else 0, 5):
                positions.append(position)
                told.append(event.id)
        await asyncio.gather(*work)

    assert positions == sorted(positions)
    assert sorted(set(positions)) == list(range(1, 12 * 6 + 1))
    assert len(told) == len(set(told)) == 12 * 8
    for name in {each.partition("/")[0] for each in told}:
        mine = [each for each in told if each.startswith(f"{name}/")]
        assert mine == [f"{name}/{sequence}" for sequence in range(1, 9)]


async def test_an_event_that_two_processes_take_in_is_there_once_and_in_one_order(url: str) -> None:
    events = [
        InboundEvent(tenant="default", sender="ada", id=f"i{n}", source="/s", type="t")
        for n in range(20)
    ]
    async with process(url, "one") as one, process(url, "two") as two:
        counts = await asyncio.gather(
            *(stores.inbound.add([event], at(0)) for event in events for stores in (one, two))
        )
        arrived = await one.intake.read(0, 100)

    assert sum(counts) == 20
    assert [each.event.position for each in arrived] == list(range(1, 21))


async def test_whoever_was_taken_over_from_is_refused(url: str) -> None:
    async with process(url, "one") as one, process(url, "two") as two:
        await append(one, first := beginning("e1"))
        assert await two.events.take_over("two", 10) == ["e1"]

        with pytest.raises(StaleOwner):
            await one.events.append(following(first))
        await two.events.append(following(first, epoch=1))

        assert not await two.events.take_over("two", 10)


@pytest.mark.parametrize("to_its_end", [True, False])
async def test_what_goes_on_while_it_is_taken_over_is_looked_at_again(
    url: str, monkeypatch: pytest.MonkeyPatch, to_its_end: bool
) -> None:
    async with process(url, "one") as one, process(url, "two") as two:
        await append(one, first := beginning("e1"))
        looks = 0

        async def going_on(*which: Any) -> dict[str, Tip]:
            nonlocal looks
            found = await left_by(*which)
            looks += 1
            if looks == 1:
                await append(one, completing(first) if to_its_end else following(first))
            return found

        monkeypatch.setattr(event_store, "left_by", going_on)
        assert await two.events.take_over("two", 10) == ([] if to_its_end else ["e1"])

        head = await two.events.head("e1")
        assert head is not None
        assert (looks, head.epoch) == (2, 0 if to_its_end else 1)


@pytest.mark.parametrize("seconds", [-100, 100], ids=["young", "old"])
async def test_whoever_was_taken_over_from_is_refused_whatever_became_of_the_log_since(
    url: str, seconds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What is old for retention is old for whoever has read it.
    monkeypatch.setattr(journal, "FRESH", 0.0 if seconds > 0 else journal.FRESH)
    async with process(url, "one") as one, process(url, "two") as two:
        await append(one, first := beginning("e1"))
        assert await two.events.take_over("two", 10) == ["e1"]
        await append(two, beginning("e2"))
        await relay(two)
        await exhausted(lambda: two.retention.drop_inbound(at(seconds), 10))

        with pytest.raises(StaleOwner):
            await one.events.append(following(first))
        await two.events.append(following(first, epoch=1))


async def test_a_key_that_is_written_before_its_execution_is_not_told_before_it(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def half(self: Writes, database: MongoDatabase) -> None:
        for _, claim, _ in self.by_collection["idempotency_keys"]:
            keys = database.collection("idempotency_keys")
            await keys.replace_one({"_id": claim["_id"]}, claim, upsert=True)
        raise StoreUnavailable("the process died here")

    async with (
        process(url, "one") as one,
        process(url, "two") as two,
        opened_mongo(url, "workflow") as database,
    ):
        with monkeypatch.context() as patched:
            patched.setattr(Writes, "apply", half)
            await one.events.append(beginning("e1", idempotency=key("k")))
            keys = database.collection("idempotency_keys")

            async def is_written() -> bool:
                return await keys.count_documents({}) == 1

            await eventually(is_written, within=30)

        assert await two.events.started_by("default", "ada", "k") == ("e1", "f")
        assert await two.events.head("e1") is not None


@pytest.mark.parametrize("times", [1, 100])
async def test_a_commit_whose_answer_is_lost_happens_once(url: str, times: int) -> None:
    server, _, prefix = url.removeprefix("mongodb://").partition("/")
    host, _, port = server.rpartition("@")[2].partition(":")
    async with process(url, "one") as one, TcpProxy(host, int(port)) as proxy:
        left = times
        asked = False

        def sent(piece: bytes) -> bytes:
            nonlocal asked
            asked = asked or (b"insert\x00" in piece and b"told\x00" in piece)
            return piece

        def answered(piece: bytes) -> bytes:
            nonlocal asked, left
            if asked and left:
                asked, left = False, left - 1
                raise ConnectionError
            return piece

        through = f"mongodb://127.0.0.1:{proxy.port}/{prefix}?directConnection=true&{HURRIED}"
        async with process(through, "two") as two:
            await append(two, first := beginning("e1"))
            proxy.to_server, proxy.to_client = sent, answered
            second = following(first)
            try:
                await two.events.append(second)
            except Unavailable:
                assert times > 1
            left = 0
            assert await outcome(two, second) == "refused"
            await append(two, completing(second))

        events = await one.events.read("e1")
        assert [each.sequence for each in events] == [1, 2, 3, 4, 5]


async def test_a_store_that_goes_and_comes_back_has_everything_that_was_acknowledged() -> None:
    server = Server()
    try:
        server.start()
        async with process(f"{server.url}suite?{HURRIED}", "one") as stores:
            await append(stores, first := beginning("e1"))
            server.end()
            with pytest.raises(Unavailable):
                await stores.events.append(following(first))
            with pytest.raises(Unavailable):
                await stores.events.load("e1")

            server.start()
            head = await stores.events.head("e1")
            assert head is not None
            assert head.sequence == 3
            await append(stores, following(first), beginning("e2"))
            assert len(await stores.events.read("e1")) == 4
    finally:
        server.remove()


async def test_one_process_publishes_for_all_and_the_next_one_goes_on_behind_it(url: str) -> None:
    async with process(url, "two") as two:
        async with process(url, "one") as one:
            await append(one, beginning("e1"), beginning("e2"))
            (first, _), *_ = await one.log.read_log(0, 1)
            assert not await two.log.read_log(await two.log.load_checkpoint("bus"), 10)
            assert await one.intake.owners(0, 10) == []
            await one.log.save_checkpoint("bus", first)

        told: list[tuple[int, CloudEvent]] = []

        async def goes_on() -> bool:
            told.extend(await two.log.read_log(0, 10))
            return bool(told)

        await eventually(goes_on)
        assert [event.id for _, event in told] == ["e2/1", "e2/2", "e2/3"]
