"""What is old goes, and nothing else: never what has not been published."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from tests.contract.workflow_service.adapters import DURABLE_STORES, Open, Stores, append
from tests.support.executions import accepted, at, beginning, completing, following, key
from tests.support.time import eventually
from workflow_service.application.ports import ExecutionFilter, InboundEvent


async def relay(stores: Stores) -> None:
    """Publish everything."""
    position = 0
    while entries := await stores.log.read_log(position, 100):
        position = entries[-1][0]
    await stores.log.save_checkpoint("relay", position)


async def exhausted(some: Callable[[], Awaitable[int]]) -> int:
    total = 0
    while count := await some():
        total += count
    return total


async def ended(stores: Stores, *names: str, **more: Any) -> None:
    for name in names:
        first = beginning(name, **more)
        second = following(first)
        await append(stores, first, second, completing(second))


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


async def names(stores: Stores, tag: str | None = None) -> list[str]:
    found = await stores.summaries.list(ExecutionFilter(tenant="default", tag=tag), 100, None)
    return sorted(summary.execution for summary in found.items)


async def test_what_ended_long_ago_is_gone_and_all_of_it(stores: Stores) -> None:
    await ended(stores, "e1", "e2", tags=["red"])
    await append(stores, beginning("open", tags=["red"]))
    await relay(stores)

    assert await exhausted(lambda: stores.retention.forget_ended(at(100), 1)) == 2
    assert await names(stores) == await names(stores, tag="red") == ["open"]
    assert await stores.events.head("e1") is None
    assert await exhausted(lambda: stores.retention.purge(2)) == 6
    assert await stores.events.read("e1") == []
    assert len(await stores.events.read("open")) == 3


async def test_what_ended_lately_stays(stores: Stores) -> None:
    await ended(stores, "e1")
    await relay(stores)

    assert await stores.retention.forget_ended(at(1), 10) == 0
    assert await stores.retention.purge(10) == 0
    assert await names(stores) == ["e1"]


async def test_what_nobody_has_heard_of_stays_however_old(stores: Stores) -> None:
    await ended(stores, "e1")
    assert await stores.retention.forget_ended(at(100), 10) == 0

    await relay(stores)
    await ended(stores, "e2")
    assert await stores.retention.forget_ended(at(100), 10) == 1
    assert await names(stores) == ["e2"]


async def test_a_deletion_that_was_cut_short_is_finished_by_the_next_process(
    durable: Open, tmp_path: Path
) -> None:
    async with durable(tmp_path, "first") as stores:
        await ended(stores, "e1")
        await relay(stores)
        assert await stores.retention.forget_ended(at(100), 10) == 1
        assert await stores.retention.purge(1) == 1
    async with durable(tmp_path, "second") as stores:
        assert await exhausted(lambda: stores.retention.purge(10)) == 2
        assert await stores.events.read("e1") == []


async def test_a_name_that_was_forgotten_may_be_used_again(stores: Stores) -> None:
    await ended(stores, "e1")
    await relay(stores)
    await stores.retention.forget_ended(at(100), 10)
    await exhausted(lambda: stores.retention.purge(10))

    await append(stores, beginning("e1"))
    assert await stores.retention.purge(10) == 0
    assert len(await stores.events.read("e1")) == 3


async def test_expired_keys_go_and_others_stay(stores: Stores) -> None:
    await append(stores, beginning("e1", idempotency=key("old", expires=10)))
    await append(stores, beginning("e2", idempotency=key("new", expires=1_000)))

    assert await exhausted(lambda: stores.retention.drop_keys(at(10), 1)) == 1
    assert await stores.events.started_by("default", "ada", "new") is not None


async def test_events_from_outside_go_once_they_are_old_and_published(stores: Stores) -> None:
    event = InboundEvent(tenant="default", sender="ada", id="1", source="/x", type="t")
    await stores.inbound.add([event], at(0))
    assert await stores.inbound.add([event], at(0)) == 0

    await exhausted(lambda: stores.retention.drop_inbound(at(0), 10))
    assert len(await stores.log.read_log(0, 10)) == 1
    await relay(stores)

    async def nothing_is_left() -> bool:
        await exhausted(lambda: stores.retention.drop_inbound(at(1), 10))
        return await stores.log.read_log(0, 10) == ()

    await eventually(nothing_is_left)
    assert await stores.inbound.add([event], at(2)) == 1


async def test_room_is_given_back_until_there_is_none(tmp_path: Path) -> None:
    # Other stores see to their room themselves.
    async with DURABLE_STORES["sqlite"](tmp_path, "first") as stores:
        for number in range(200):
            await ended(stores, f"e{number}", input="x" * 20_000)
        await relay(stores)
        await exhausted(lambda: stores.retention.forget_ended(at(100), 50))
        await exhausted(lambda: stores.retention.purge(100))
        assert await stores.retention.compact(10) == 10
        assert await exhausted(lambda: stores.retention.compact(1_000)) > 100
        assert await stores.retention.compact(10) == 0
    assert size_of(tmp_path) < 1_000_000


async def test_a_value_goes_with_the_last_execution_that_has_it(stores: Stores) -> None:
    large, other = "a" * 70_000, "b" * 70_000
    await append(stores, kept := beginning("open", accepted("open", large), input=large))
    await ended(stores, "e1", input=large)
    await ended(stores, "e2", input=other)
    await relay(stores)
    assert await stores.payloads_kept() == 2

    await exhausted(lambda: stores.retention.forget_ended(at(100), 10))
    await exhausted(lambda: stores.retention.purge(1))

    assert await stores.payloads_kept() == 1
    assert (await stores.events.read("open"))[0].event == accepted("open", large)
    await append(stores, completing(kept))
    await relay(stores)
    await exhausted(lambda: stores.retention.forget_ended(at(100), 10))
    await exhausted(lambda: stores.retention.purge(1))
    assert await stores.payloads_kept() == 0
