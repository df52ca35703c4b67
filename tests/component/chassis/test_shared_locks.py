"""Locks of several processes, and what they let be worked out once, in a Redis that is emptied, killed and cut off."""

import asyncio
import signal
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chassis.caching.once import Made
from chassis.crypto.key_file import WrappingKeys, ephemeral
from chassis.crypto.safe import Safe
from chassis.errors import Unavailable
from tests.component.chassis.replicas import Replica, replica
from tests.support.redis import RedisServer, redis
from tests.support.tcp_proxy import TcpProxy
from tests.support.time import eventually

__all__ = ["redis"]

SAFE = Safe(ephemeral(), "cache")
HOUR = 3_600.0


class Work:
    """Something slow whose doing is counted."""

    def __init__(self, *, held_up: bool = False) -> None:
        self.begun = 0
        self.go_on = asyncio.Event()
        if not held_up:
            self.go_on.set()

    async def __call__(self) -> Made:
        self.begun += 1
        mine = self.begun
        await self.go_on.wait()
        return Made(str(mine).encode(), HOUR)


@pytest.fixture
async def three(redis: RedisServer) -> AsyncIterator[list[Replica]]:
    async with (
        replica(redis.url, SAFE) as one,
        replica(redis.url, SAFE) as two,
        replica(redis.url, SAFE) as three,
    ):
        replicas = [one, two, three]
        for each in replicas:
            await each.following()
        yield replicas


async def test_of_three_processes_with_fifty_who_want_it_one_does_the_work(
    three: list[Replica],
) -> None:
    work = Work(held_up=True)
    onces = [each.once() for each in three]
    asking = [asyncio.ensure_future(once.get("key", work)) for once in onces for _ in range(50)]
    await eventually(lambda: work.begun > 0, within=30)
    work.go_on.set()

    assert set(await asyncio.gather(*asking)) == {b"1"}
    assert work.begun == 1


async def test_what_fails_is_tried_by_another_process(three: list[Replica]) -> None:
    async def failing() -> Made:
        raise ConnectionError("no")

    work = Work()
    with pytest.raises(ConnectionError):
        await three[0].once().get("key", failing)

    assert await three[1].once().get("key", work) == b"1"


async def test_whoever_died_with_the_lock_is_waited_for_no_longer_than_its_time(
    three: list[Replica],
) -> None:
    assert await three[0].locks.take("key", 0.5) is not None

    assert await three[1].once().get("key", Work()) == b"1"


async def test_without_redis_everybody_does_the_work(
    redis: RedisServer, three: list[Replica]
) -> None:
    redis.kill()
    for each in three:
        await each.lost()
    work = Work()

    onces = [each.once() for each in three]
    for _ in range(5):
        for once in onces:
            await once.get("key", work)

    assert work.begun == 3
    with pytest.raises(Unavailable):
        await three[0].locks.take("key", 60)


async def test_one_that_was_cut_off_beyond_its_time_does_not_undo_what_the_next_has_done(
    redis: RedisServer,
) -> None:
    async with (
        TcpProxy("127.0.0.1", redis.port) as proxy,
        replica(f"redis://127.0.0.1:{proxy.port}/0", SAFE) as one,
        replica(redis.url, SAFE) as other,
    ):
        await one.following()
        slow = Work(held_up=True)
        waiting = asyncio.ensure_future(one.once(held=0.5).get("key", slow))
        await eventually(lambda: slow.begun == 1, within=30)
        proxy.freeze()

        async def newer() -> Made:
            return Made(b"newer", HOUR)

        assert await other.once(held=0.5).get("key", newer) == b"newer"
        proxy.thaw()
        slow.go_on.set()

        assert await waiting == b"1"
        assert await other.cache.get("key") == b"newer"
        await eventually(lambda: written_through(one), within=60)
        assert await other.cache.get("key") == b"newer"


async def written_through(one: Replica) -> bool:
    """Whether all that *one* had to tell Redis is told."""
    try:
        _ = await one.far.get("test:key")
    except Unavailable:
        return False
    return True


async def test_fences_go_up_when_redis_is_emptied_and_when_it_is_started_anew(
    redis: RedisServer, three: list[Replica]
) -> None:
    fences = []
    for what in ("nothing", "emptied", "started anew"):
        if what == "emptied":
            await three[0].client.flushall()
        if what == "started anew":
            redis.kill()
            redis.start()
        lock = await three[1].locks.take(what, 60)
        assert lock is not None
        fences.append(lock.fence)

    assert fences == sorted(set(fences))


async def test_a_holder_notices_that_it_cannot_hold_on(redis: RedisServer) -> None:
    async with replica(redis.url, SAFE) as one:
        lock = await one.locks.take("key", 1.0)
        assert lock is not None
        async with one.locks.kept(lock, 1.0):
            redis.kill()
            async with asyncio.timeout(60):
                await lock.lost.wait()

        assert lock.left == 0


async def test_a_holder_notices_that_redis_was_emptied(redis: RedisServer) -> None:
    async with replica(redis.url, SAFE) as one:
        lock = await one.locks.take("key", 0.6)
        assert lock is not None
        async with one.locks.kept(lock, 0.6):
            await one.client.flushall()
            async with asyncio.timeout(60):
                await lock.lost.wait()


OWNER = """
import asyncio, sys
from chassis.crypto.key_file import load
from chassis.crypto.safe import Safe
from pathlib import Path
from tests.component.chassis.replicas import replica

async def main(url, keys):
    async with replica(url, Safe(load(Path(keys)), "cache")) as one:
        lock = await one.locks.take("resource", 1.0)
        async with one.locks.kept(lock, 1.0):
            print("fence", lock.fence, flush=True)
            await asyncio.to_thread(sys.stdin.readline)
            await one.far.set("test:resource", b"of the frozen one", 3600.0, None, lock.fence)
            print("lost" if lock.left == 0 else "held", flush=True)

asyncio.run(main(*sys.argv[1:]))
"""


async def said(lines: asyncio.StreamReader, *words: bytes) -> bytes:
    """The first line that begins with one of *words*; the others are the log's."""
    async with asyncio.timeout(60):
        while not (line := await lines.readline()).startswith(words):
            assert line, "it has ended"
    return line.strip()


async def test_an_owner_that_was_frozen_beyond_its_time_is_fenced_off(
    redis: RedisServer, tmp_path: Path
) -> None:
    keys = tmp_path / "keys"
    keys.write_text(f"k {'A' * 43}=\n")
    safe = Safe(WrappingKeys("k", {"k": bytes(32)}), "cache")
    pipe = asyncio.subprocess.PIPE
    owner = await asyncio.create_subprocess_exec(
        sys.executable, "-c", OWNER, redis.url, str(keys), stdin=pipe, stdout=pipe
    )
    assert owner.stdout is not None
    assert owner.stdin is not None
    try:
        async with replica(redis.url, safe) as next_one:
            fence = int((await said(owner.stdout, b"fence")).split()[1])
            owner.send_signal(signal.SIGSTOP)
            stopped = time.monotonic()
            lock = None
            while lock is None:
                assert time.monotonic() - stopped < 60
                async with next_one.locks.waiting("resource") as freed:
                    lock = await next_one.locks.take("resource", 60.0)
                    if lock is None:
                        _ = await freed.next(0.1)
            assert lock.fence > fence
            await next_one.far.set("test:resource", b"of the next one", HOUR, None, lock.fence)
            owner.send_signal(signal.SIGCONT)
            owner.stdin.write(b"\n")

            assert await said(owner.stdout, b"lost", b"held") == b"lost"
            assert await next_one.cache.get("resource") == b"of the next one"
            assert await next_one.locks.take("resource", 60.0) is None
    finally:
        owner.send_signal(signal.SIGCONT)
        owner.kill()
        _ = await owner.wait()
