"""Argon2id in a bounded pool."""

import asyncio
import threading

import pytest
from argon2 import extract_parameters
from argon2.low_level import Type

from auth_service.adapters.argon2_hasher import Argon2Hasher
from chassis.errors import Unavailable
from tests.support.time import eventually


async def test_parameters_are_what_was_decided() -> None:
    async with Argon2Hasher(workers=1) as hasher:
        parameters = extract_parameters(hasher.decoy)

    assert parameters.type is Type.ID
    assert (parameters.memory_cost, parameters.time_cost, parameters.parallelism) == (19456, 2, 1)
    assert parameters.salt_len >= 16


async def test_a_password_matches_its_own_hash_only() -> None:
    async with Argon2Hasher(workers=1, memory_kib=64) as hasher:
        made = await hasher.hash("right")

        assert await hasher.verify(made, "right")
        assert not await hasher.verify(made, "wrong")
        assert not await hasher.verify(made, "")
        assert made != await hasher.hash("right")


async def test_the_decoy_matches_nothing_and_costs_as_much() -> None:
    async with Argon2Hasher(workers=1, memory_kib=64) as hasher:
        assert not await hasher.verify(hasher.decoy, "")
        assert extract_parameters(hasher.decoy) == extract_parameters(await hasher.hash("x"))


async def test_a_damaged_hash_matches_nothing() -> None:
    async with Argon2Hasher(workers=1, memory_kib=64) as hasher:
        assert not await hasher.verify("", "x")
        assert not await hasher.verify("$argon2id$damaged", "x")


async def test_other_parameters_are_outdated() -> None:
    async with Argon2Hasher(workers=1, memory_kib=64) as old, Argon2Hasher(workers=1) as new:
        assert new.is_outdated(old.decoy)
        assert not new.is_outdated(new.decoy)


async def test_who_comes_when_the_queue_is_full_is_sent_away() -> None:
    release = threading.Event()
    async with Argon2Hasher(workers=1, queue=2, memory_kib=64) as hasher:
        blocked = hasher._threads.submit(release.wait)
        waiting = [asyncio.ensure_future(hasher.hash("x")) for _ in range(3)]
        await asyncio.sleep(0)

        with pytest.raises(Unavailable) as caught:
            await hasher.hash("x")

        release.set()
        await asyncio.gather(*waiting)
        assert blocked.result()
        assert await hasher.hash("x")
    assert caught.value.retry_after == 1.0


async def test_who_gives_up_leaves_a_free_place() -> None:
    release = threading.Event()
    async with Argon2Hasher(workers=1, queue=1, memory_kib=64) as hasher:
        blocked = hasher._threads.submit(release.wait)
        waiting = [asyncio.ensure_future(hasher.hash("x")) for _ in range(2)]
        await asyncio.sleep(0)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

        await eventually(lambda: hasher._pending == 0)

        release.set()
        assert blocked.result()


async def test_the_event_loop_stays_free_while_hashing() -> None:
    async with Argon2Hasher(workers=2) as hasher:
        hashing = asyncio.ensure_future(hasher.hash("x"))
        turns = 0
        while not hashing.done():
            turns += 1
            await asyncio.sleep(0)

    assert turns > 10
