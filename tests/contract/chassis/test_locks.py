"""What all locks must do, run against every adapter."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from chassis.caching.port import LockLost, Locks
from tests.contract.chassis.adapters import LOCKS, Timed


@pytest.fixture(params=LOCKS)
async def timed(request: pytest.FixtureRequest) -> AsyncIterator[Timed[Locks]]:
    async with LOCKS[request.param]() as timed:
        yield timed


async def test_of_many_who_want_a_lock_one_gets_it(timed: Timed[Locks]) -> None:
    taken = await asyncio.gather(*(timed.adapter.take("it", 1_000) for _ in range(20)))

    assert sum(lock is not None for lock in taken) == 1


async def test_locks_of_other_names_are_others(timed: Timed[Locks]) -> None:
    assert await timed.adapter.take("one", 1_000) is not None
    assert await timed.adapter.take("other", 1_000) is not None


async def test_what_is_released_can_be_taken(timed: Timed[Locks]) -> None:
    first = await timed.adapter.take("it", 1_000)
    assert first is not None

    await first.release()

    assert await timed.adapter.take("it", 1_000) is not None


async def test_a_lock_ends_with_its_time(timed: Timed[Locks]) -> None:
    first = await timed.adapter.take("it", 100)
    assert first is not None
    timed.advance(50)
    assert first.left > 0
    assert await timed.adapter.take("it", 100) is None

    timed.advance(60)

    assert first.left == 0
    assert await timed.adapter.take("it", 100) is not None


async def test_whoever_is_late_notices_and_takes_nothing_from_the_next(timed: Timed[Locks]) -> None:
    first = await timed.adapter.take("it", 100)
    timed.advance(110)
    second = await timed.adapter.take("it", 1_000)
    assert first is not None
    assert second is not None

    with pytest.raises(LockLost):
        await first.extend(100)
    await first.release()

    assert first.lost.is_set()
    assert not second.lost.is_set()
    assert await timed.adapter.take("it", 100) is None


async def test_what_is_extended_lasts_longer(timed: Timed[Locks]) -> None:
    first = await timed.adapter.take("it", 100)
    assert first is not None
    timed.advance(80)
    await first.extend(100)
    timed.advance(80)

    assert first.left > 0
    assert await timed.adapter.take("it", 100) is None


async def test_every_holder_has_a_higher_fence_than_those_before(timed: Timed[Locks]) -> None:
    fences = []
    for _ in range(5):
        lock = await timed.adapter.take("it", 1_000)
        assert lock is not None
        fences.append(lock.fence)
        await lock.release()

    assert fences == sorted(set(fences))


async def test_whoever_waits_hears_of_the_release(timed: Timed[Locks]) -> None:
    first = await timed.adapter.take("it", 1_000)
    assert first is not None

    async with timed.adapter.waiting("it") as freed:
        assert await timed.adapter.take("it", 1_000) is None
        await first.release()
        heard = await freed.next(30)

    assert heard is not None
    assert await timed.adapter.take("it", 1_000) is not None


async def test_what_is_kept_stays_held(timed: Timed[Locks]) -> None:
    lock = await timed.adapter.take("it", 1_000)
    assert lock is not None
    async with timed.adapter.kept(lock, 1_000):
        assert await timed.adapter.take("it", 1_000) is None

    assert not lock.lost.is_set()
    assert lock.left > 0
