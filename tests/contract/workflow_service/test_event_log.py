"""What every log must give the relay."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from chassis.messaging.port import CloudEvent
from chassis.storage.sqlite import SqliteDatabase
from tests.contract.workflow_service.adapters import DURABLE_STORES, Open, Stores
from tests.support.executions import accepted, at, beginning, completing, following
from tests.support.time import ManualClock
from workflow_service.adapters.bells import LogBell
from workflow_service.adapters.sqlite.event_log import SqliteEventLog
from workflow_service.adapters.sqlite.event_store import SqliteEventStore
from workflow_service.adapters.sqlite.schema import MIGRATIONS
from workflow_service.application.ports import InboundEvent
from workflow_service.domain.execution.events import EventEmitted
from workflow_service.domain.expressions import JsonValue

ENDED = "io.autoworker.workflow.execution-ended.v1"


def inbound(name: str) -> InboundEvent:
    return InboundEvent(tenant="default", sender="ada", id=name, source="/x", type="x.happened")


async def everything(stores: Stores, limit: int = 3) -> list[tuple[int, CloudEvent]]:
    found: list[tuple[int, CloudEvent]] = []
    position = 0
    while entries := await stores.log.read_log(position, limit):
        found += entries
        position = entries[-1][0]
    return found


def ids(entries: Sequence[tuple[int, CloudEvent]]) -> list[str]:
    return [event.id for _, event in entries]


async def test_everything_committed_is_told_once_in_the_order_of_commits(stores: Stores) -> None:
    first, other = beginning("e1"), beginning("e2")
    await stores.events.append(first)
    await stores.events.append(other)
    await stores.inbound.add([inbound("i1")], at(1))
    await stores.events.append(completing(first))

    told = await everything(stores)

    assert ids(told) == [
        "e1/1", "e1/2", "e1/3", "e2/1", "e2/2", "e2/3", "i1", "e1/4/ended", "e1/4",
    ]  # fmt: skip
    positions = [position for position, _ in told]
    assert positions == sorted(positions)
    assert {event.extensions["tenant"] for _, event in told} == {"default"}


async def test_a_commit_is_never_split_between_two_readings(stores: Stores) -> None:
    await stores.events.append(first := beginning("e1"))
    await stores.events.append(following(first))

    entries = await stores.log.read_log(0, 1)

    assert ids(entries) == ["e1/1", "e1/2", "e1/3"]
    assert ids(await stores.log.read_log(entries[-1][0], 1)) == ["e1/4"]


async def test_concurrent_commits_are_all_told(stores: Stores) -> None:
    commits = [beginning(f"e{n}") for n in range(40)]
    await asyncio.gather(*(stores.events.append(commit) for commit in commits))

    told = ids(await everything(stores, 50))

    assert sorted(told) == sorted(f"e{n}/{s}" for n in range(40) for s in (1, 2, 3))


async def test_a_checkpoint_is_kept_by_name(stores: Stores) -> None:
    assert await stores.log.load_checkpoint("relay") == 0
    await stores.log.save_checkpoint("relay", 7)
    await stores.log.save_checkpoint("relay", 9)

    assert await stores.log.load_checkpoint("relay") == 9
    assert await stores.log.load_checkpoint("other") == 0


async def test_waiting_ends_with_the_next_commit(stores: Stores) -> None:
    waiting = asyncio.ensure_future(stores.log.wait_for_log(0))
    await asyncio.sleep(0)
    assert not waiting.done()

    await stores.events.append(beginning("e1"))

    await asyncio.wait_for(waiting, 20)


async def test_a_commit_between_reading_and_waiting_is_not_missed(stores: Stores) -> None:
    await stores.log.read_log(0, 10)
    await stores.events.append(beginning("e1"))

    await asyncio.wait_for(stores.log.wait_for_log(0), 20)


@pytest.mark.parametrize("adapter", DURABLE_STORES)
async def test_log_and_checkpoint_outlive_the_process(adapter: str, tmp_path: Path) -> None:
    open_store: Open = DURABLE_STORES[adapter]
    async with open_store(tmp_path, "first") as stores:
        await stores.events.append(beginning("e1"))
        await stores.log.save_checkpoint("relay", 1)
        await stores.events.append(beginning("e2"))

    async with open_store(tmp_path, "second") as stores:
        position = await stores.log.load_checkpoint("relay")
        assert ids(await stores.log.read_log(position, 10)) == ["e2/1", "e2/2", "e2/3"]


async def test_only_what_somebody_wants_is_told() -> None:
    async with await SqliteDatabase.open(None, migrations=MIGRATIONS) as database:
        bell = LogBell()
        store = SqliteEventStore(database, node="first", clock=ManualClock(), bell=bell)
        log = SqliteEventLog(database, bell=bell, wanted={ENDED, "shop.sold"}.__contains__)
        emitted: dict[str, JsonValue] = {
            "id": "m1",
            "source": "/shop",
            "type": "shop.sold",
            "data": {"n": 1},
        }
        unheard = emitted | {"id": "m2", "type": "shop.opened"}
        first = beginning("e1")
        second = following(first, EventEmitted("/do/0/a", event=emitted))
        third = following(second, EventEmitted("/do/0/b", event=unheard))
        for commit in (first, second, third, completing(third)):
            await store.append(commit)

        told = await log.read_log(0, 1)
        assert ids(told) == ["m1"]
        assert msgspec.json.decode(told[0][1].data) == {"n": 1}
        told = await log.read_log(told[-1][0], 1)
        assert ids(told) == ["e1/6/ended"]
        position = told[-1][0]
        for n in range(5):
            await store.append(beginning(f"other-{n}"))
        assert not await log.read_log(position, 1)
        assert not await log.read_log(position, 1)
        await store.append(completing(beginning("other-1")))
        assert ids(await log.read_log(position, 1)) == ["other-1/4/ended"]


async def test_large_values_are_told_as_they_were(stores: Stores) -> None:
    large: JsonValue = {"text": "x" * 70_000}
    await stores.events.append(beginning("e1", accepted("e1", large), input=large))

    (_, told), *_ = await stores.log.read_log(0, 10)

    assert msgspec.json.decode(told.data)["input"] == large
