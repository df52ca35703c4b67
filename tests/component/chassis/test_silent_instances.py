"""Calls to a service one instance of which cannot be reached any more from here, though nothing refuses the calls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest

from chassis.health import Health, HealthReport
from chassis.rpc import probing
from chassis.rpc.client import RpcClient
from chassis.rpc.instances import DOUBT, Instance, Turn
from chassis.rpc.listening import StreamSilent
from chassis.rpc.probing import Probes
from tests.component.chassis.echo import Echo, EchoStub, World
from tests.support.tcp_proxy import TcpProxy
from tests.support.time import eventually

SHORT = 1.0
"""Seconds after which these callers leave: long before anything else would tell them that nobody is there."""


@dataclass
class Pair:
    """An instance, and the caller's own wire to it."""

    name: str
    wire: TcpProxy
    calls: int = 0

    async def say(self, _request: bytes) -> bytes:
        self.calls += 1
        return self.name.encode()

    async def watch(self, _request: bytes) -> AsyncGenerator[bytes, None]:
        yield self.name.encode()
        await asyncio.Event().wait()


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
async def pairs(world: World) -> AsyncIterator[list[Pair]]:
    async with AsyncExitStack() as stack:
        pairs = [await _pair(stack, world, name) for name in ("one", "two", "three")]
        yield pairs
        for pair in pairs:
            pair.wire.cut()


async def _pair(stack: AsyncExitStack, world: World, name: str) -> Pair:
    echo = Echo()
    server = await stack.enter_async_context(world.server(echo))
    wire = TcpProxy("127.0.0.1", int(server.address.rpartition(":")[2]))
    pair = Pair(name, await stack.enter_async_context(wire))
    echo.say, echo.watch = pair.say, pair.watch
    await world.registry.register("echo", f"127.0.0.1:{wire.port}")
    return pair


async def test_one_that_swallows_calls_is_found_and_taken_back(
    world: World, pairs: list[Pair]
) -> None:
    lost, *_ = pairs
    async with world.calling() as (client, stub):
        await eventually(lambda: _heard(client, stub, lost))
        lost.wire.freeze()
        await eventually(lambda: _most_are_answered(client, stub))
        lost.wire.thaw()
        lost.calls = 0
        await eventually(lambda: _heard(client, stub, lost))


async def test_a_feed_that_falls_silent_is_given_up(world: World, pairs: list[Pair]) -> None:
    async with world.calling() as (client, stub):
        responses = client.stream(stub.watch, b"", silence=0.5)
        assert await anext(responses)
        for pair in pairs:
            pair.wire.freeze()

        with pytest.raises(StreamSilent):
            await anext(responses)


class StuckHealth(Health):
    """Of a service whose store is away: what is well is known much later."""

    async def report(self) -> HealthReport:
        await asyncio.Event().wait()
        raise AssertionError("unreachable")


async def test_one_whose_store_is_away_is_there_nevertheless(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probing, "PATIENCE", 20.0)
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(world.server(Echo(), health=StuckHealth()))
        channel = await stack.enter_async_context(grpc.aio.insecure_channel(server.address))
        instance, probes = Instance(server.address, channel), Probes(world.clock, _unexpected)
        stack.push_async_callback(probes.close)
        instance.begin(0.0)
        probes.look([instance], DOUBT)
        await eventually(lambda: not instance.probing, within=40.0)
        assert instance.takes_calls()


async def test_one_that_the_registry_gave_up_is_not_asked(world: World) -> None:
    channel = grpc.aio.insecure_channel("127.0.0.1:1")
    instance, probes = Instance("127.0.0.1:1", channel), Probes(world.clock, _unexpected)
    instance.begin(0.0)
    await channel.close()
    probes.look([instance], DOUBT)
    await eventually(lambda: not instance.probing)
    assert instance.takes_calls()
    await probes.close()


def _unexpected(instance: Instance, turn: Turn) -> None:
    raise AssertionError(f"{instance.address}: {turn}")


async def _heard(client: RpcClient, stub: EchoStub, pair: Pair) -> bool:
    await _answered(client, stub)
    return pair.calls > 0


async def _most_are_answered(client: RpcClient, stub: EchoStub) -> bool:
    """More of twelve than there would be if one of three got its share; a busy machine may make one late."""
    return sum([await _answered(client, stub) for _ in range(12)]) > 10


async def _answered(client: RpcClient, stub: EchoStub) -> bool:
    """Whether a call of somebody who leaves soon is answered; a caller that leaves tells nothing about the instance."""
    try:
        async with asyncio.timeout(SHORT):
            await client.call(stub.say, b"", timeout=60.0)
    except TimeoutError:
        return False
    return True
