"""A cache of several processes, in a Redis that is killed, frozen, cut off, and written to by others."""

import time
from collections.abc import AsyncIterator

import pytest

from chassis.crypto.key_file import ephemeral
from chassis.crypto.safe import Safe
from chassis.errors import Unavailable
from tests.component.chassis.replicas import Replica, replica
from tests.support.redis import RedisServer, redis
from tests.support.tcp_proxy import TcpProxy
from tests.support.time import ManualClock, eventually

__all__ = ["redis"]

SAFE = Safe(ephemeral(), "cache")
HOUR = 3_600.0


@pytest.fixture
async def two(redis: RedisServer) -> AsyncIterator[tuple[Replica, Replica]]:
    async with replica(redis.url, SAFE) as one, replica(redis.url, SAFE) as other:
        await one.following()
        await other.following()
        yield one, other


async def set_tagged(replica: Replica, key: str, value: bytes, tag: str) -> None:
    await replica.cache.set(key, value, HOUR, since=await replica.cache.moment(tag))


async def written(replica: Replica, key: str, value: bytes) -> bool:
    """Whether *value* stands in Redis now."""
    try:
        await replica.far.set(f"test:{key}", value, HOUR, None, None)
    except Unavailable:
        return False
    return True


async def test_what_one_has_set_the_other_finds(two: tuple[Replica, Replica]) -> None:
    one, other = two
    await one.cache.set("key", b"value", HOUR)

    assert await other.cache.get("key") == b"value"


async def test_what_was_found_is_kept_near_until_somebody_else_changes_it(
    two: tuple[Replica, Replica],
) -> None:
    one, other = two
    await one.cache.set("key", b"old", HOUR)
    await eventually(lambda: one.keeps_near("key"), within=30)
    await eventually(lambda: other.keeps_near("key"), within=30)

    await other.cache.set("key", b"new", HOUR)
    # Whoever wrote reads what it wrote, at once; the others hear of it.
    assert await other.cache.get("key") == b"new"

    async def heard() -> bool:
        return await one.cache.get("key") == b"new"

    await eventually(heard, within=30)


async def test_a_tag_reaches_what_others_keep_near(two: tuple[Replica, Replica]) -> None:
    one, other = two
    await set_tagged(one, "key", b"value", "red")
    await eventually(lambda: other.keeps_near("key"), within=30)

    await one.cache.invalidate("red")

    async def gone() -> bool:
        return await other.cache.get("key") is None

    await eventually(gone, within=30)


async def test_a_server_that_was_emptied_empties_what_is_near(two: tuple[Replica, Replica]) -> None:
    one, _ = two
    await one.cache.set("key", b"value", HOUR)
    await eventually(lambda: one.keeps_near("key"), within=30)

    await one.client.flushall()

    async def gone() -> bool:
        return await one.cache.get("key") is None

    await eventually(gone, within=30)


@pytest.mark.parametrize("which", ["pubsub", "normal"])
async def test_news_that_was_missed_while_a_connection_was_lost_is_made_up_for(
    two: tuple[Replica, Replica], which: str
) -> None:
    one, other = two
    await one.cache.set("key", b"old", HOUR)
    await eventually(lambda: one.keeps_near("key"), within=30)

    # Either connection of the feed: the one that listens, or the one for which keys are tracked.
    await other.client.client_kill_filter(_type=which, skipme=True)
    await eventually(lambda: written(other, "key", b"new"), within=60)

    async def seen() -> bool:
        return await one.cache.get("key") == b"new"

    await eventually(seen, within=60)
    await eventually(lambda: one.keeps_near("key"), within=60)


async def test_without_redis_each_keeps_values_for_itself(
    redis: RedisServer, two: tuple[Replica, Replica]
) -> None:
    one, other = two
    redis.kill()
    await one.lost()
    await other.lost()
    begun = time.monotonic()
    await set_tagged(one, "key", b"own", "red")
    for _ in range(200):
        assert await one.cache.get("key") == b"own"
    assert await other.cache.get("key") is None

    await one.cache.invalidate("red")

    assert await one.cache.get("key") is None
    assert time.monotonic() - begun < 20


async def test_one_that_holds_still_costs_a_request_its_patience_now_and_then_and_no_more(
    redis: RedisServer,
) -> None:
    async with replica(redis.url, SAFE, patience=0.25) as one:
        await one.following()
        redis.freeze()
        begun = time.monotonic()
        for number in range(100):
            await one.cache.set(f"key {number}", b"value", HOUR)
            await one.cache.delete(f"key {number}")
        took = time.monotonic() - begun
        redis.thaw()

    # 200 times its patience would be 50 s.
    assert took < 15


async def test_what_was_kept_alone_does_not_outlive_the_return_of_redis(
    redis: RedisServer, two: tuple[Replica, Replica]
) -> None:
    one, other = two
    redis.kill()
    await one.cache.set("key", b"own", HOUR)
    redis.start()
    await one.following()
    await other.following()

    async def shared() -> bool:
        await other.cache.set("key", b"shared", HOUR)
        return await one.cache.get("key") == b"shared"

    await eventually(shared, within=60)


async def test_an_invalidation_that_redis_could_not_be_told_is_told_when_it_is_back(
    redis: RedisServer,
) -> None:
    async with (
        TcpProxy("127.0.0.1", redis.port) as proxy,
        replica(f"redis://127.0.0.1:{proxy.port}/0", SAFE, patience=0.25) as one,
        replica(redis.url, SAFE) as other,
    ):
        await one.following()
        await other.following()
        await set_tagged(other, "key", b"value", "red")
        await other.cache.set("other key", b"value", HOUR)
        proxy.refusing = True
        proxy.cut()

        async def alone() -> bool:
            return await one.cache.get("key") is None

        await eventually(alone, within=60)
        await one.cache.invalidate("red")
        await one.cache.delete("other key")
        assert await other.cache.get("key") == b"value"
        proxy.refusing = False

        async def told() -> bool:
            return [await other.cache.get(key) for key in ("key", "other key")] == [None, None]

        await eventually(told, within=60)


async def test_a_network_that_swallows_everything_leaves_nothing_old_near(
    redis: RedisServer,
) -> None:
    async with (
        TcpProxy("127.0.0.1", redis.port) as proxy,
        replica(f"redis://127.0.0.1:{proxy.port}/0", SAFE, patience=0.25) as one,
        replica(redis.url, SAFE) as other,
    ):
        await one.following()
        await other.cache.set("key", b"old", HOUR)
        await eventually(lambda: one.keeps_near("key"), within=60)
        proxy.freeze()
        await other.cache.set("key", b"new", HOUR)

        async def gone() -> bool:
            return await one.cache.get("key") is None

        await eventually(gone, within=60)
        proxy.thaw()

        async def seen() -> bool:
            return await one.cache.get("key") == b"new"

        await eventually(seen, within=60)


async def raw(replica: Replica, key: str) -> tuple[str, dict[bytes, bytes]]:
    """What *key* is called in Redis, and what stands there."""
    name = replica.far.cache.name(f"test:{key}")
    stands = await replica.client.hgetall(name)
    return name, {bytes_of(field): bytes_of(value) for field, value in stands.items()}


def bytes_of(text: bytes | str) -> bytes:
    return text if isinstance(text, bytes) else text.encode()


async def put(replica: Replica, name: str, fields: dict[bytes, bytes]) -> None:
    """Put *fields* into Redis as anybody could."""
    await replica.client.delete(name)
    for field, value in fields.items():
        _ = await replica.client.hset(name, field, value)
    await replica.client.pexpire(name, 3_600_000)


async def test_what_somebody_else_put_into_redis_is_not_believed(
    two: tuple[Replica, Replica],
) -> None:
    one, other = two
    await one.cache.set("mine", b"mine", HOUR)
    await set_tagged(one, "tagged", b"tagged", "red")
    mine, stands = await raw(one, "mine")
    tagged, whole = await raw(one, "tagged")
    changed = stands[b"sealed"][:-1] + bytes([stands[b"sealed"][-1] ^ 1])
    forged = [
        (mine, {b"sealed": b"https://evil.example"}),
        (mine, {b"sealed": b""}),
        (mine, {b"sealed": changed}),
        (mine, {b"sealed": whole[b"sealed"], b"tags": whole[b"tags"]}),
        (tagged, {b"sealed": stands[b"sealed"], b"tags": b""}),
        (tagged, {b"sealed": whole[b"sealed"], b"tags": b""}),
        (mine, {b"sealed": stands[b"sealed"], b"tags": b"x y"}),
    ]
    stranger = Safe(ephemeral(), "cache")
    content = SAFE.unseal(stands[b"sealed"], mine, "")
    forged.append((mine, {b"sealed": stranger.seal(content, mine, "")}))

    for name, fields in forged:
        await put(one, name, fields)
        assert await other.cache.get("mine" if name == mine else "tagged") is None, fields

    # A key of another kind is in nobody's way either.
    await one.client.delete(mine)
    await one.client.lpush(mine, "x")
    assert await other.cache.get("mine") is None
    await one.cache.set("mine", b"true", HOUR)
    assert await other.cache.get("mine") == b"true"


async def test_an_old_value_that_somebody_put_back_is_not_believed(redis: RedisServer) -> None:
    clock = ManualClock()
    async with replica(redis.url, SAFE, clock=clock) as one:
        await one.cache.set("key", b"old", 60.0)
        name, stands = await raw(one, "key")
        clock.advance(61)
        await put(one, name, stands)

        assert await one.cache.get("key") is None


async def test_what_stands_in_redis_tells_nothing(two: tuple[Replica, Replica]) -> None:
    one, _ = two
    await set_tagged(one, "https://x.example/?token=canary", b"canary", "canary")
    assert await one.locks.take("canary", 60) is not None

    for name in [each async for each in one.client.scan_iter()]:
        shown = bytes(name) + bytes(await one.client.dump(name) or b"")
        assert b"canary" not in shown
