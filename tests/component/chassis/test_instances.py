"""Calls to a service that has several instances, some of which die, stand still or are too busy."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool

from chassis.discovery.static import StaticRegistry
from chassis.errors import Unavailable
from chassis.rpc.balancing import Balance
from chassis.rpc.client import RpcClient
from chassis.rpc.guards import Guard, ServiceOnly
from chassis.rpc.instances import FAILURES
from chassis.rpc.server import RpcServer
from tests.component.chassis.echo import World
from tests.support.time import eventually

READ, WRITE = "/test.v1.Shelf/Read", "/test.v1.Shelf/Write"


def _declare() -> None:
    """Let the pool know what a proto file would have said."""
    file = descriptor_pb2.FileDescriptorProto(name="test/v1/shelf.proto", package="test.v1")
    file.message_type.add(name="Book")
    service = file.service.add(name="Shelf")
    for name in ("Read", "Write"):
        method = service.method.add(
            name=name, input_type=".test.v1.Book", output_type=".test.v1.Book"
        )
        if name == "Read":
            method.options.idempotency_level = descriptor_pb2.MethodOptions.NO_SIDE_EFFECTS
    descriptor_pool.Default().Add(file)


_declare()


class Shelf:
    """One instance: says who it is, or what it was told to do instead."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.calls = 0
        self.fails = False
        self.hold: asyncio.Event | None = None

    async def answer(self, _request: bytes, _context: object) -> bytes:
        self.calls += 1
        if self.hold is not None:
            await self.hold.wait()
        if self.fails:
            raise Unavailable("the store is overloaded", retry_after=1)
        return self.name.encode()


def add_shelf(shelf: Shelf, server: Any) -> None:
    """What generated code calls add_…Servicer_to_server."""
    handlers: dict[str, Any] = {
        name: grpc.unary_unary_rpc_method_handler(shelf.answer) for name in ("Read", "Write")
    }
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("test.v1.Shelf", handlers),)
    )
    server.add_registered_method_handlers("test.v1.Shelf", handlers)


class Shelves(AsyncExitStack):
    """A service of several instances."""

    def __init__(self, world: World, count: int) -> None:
        super().__init__()
        self.world = world
        self.all = [Shelf(f"shelf{number}") for number in range(count)]
        self.servers: list[RpcServer] = []
        self._stacks: list[AsyncExitStack] = []

    async def stop(self, number: int) -> str:
        """Stop one; the registry does not notice. Returns where it was."""
        address = self.servers[number].address
        await self._stacks[number].aclose()
        return address

    async def __aenter__(self) -> Shelves:
        for shelf in self.all:
            guards: dict[str, Guard] = {READ: ServiceOnly(), WRITE: ServiceOnly()}
            server = self.world.server(shelf, guards, add=add_shelf)
            stack = await self.enter_async_context(AsyncExitStack())
            await stack.enter_async_context(server)
            self._stacks.append(stack)
            await self.world.registry.register("echo", server.address)
            self.servers.append(server)
        return self


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
async def shelves(world: World) -> AsyncIterator[Shelves]:
    async with Shelves(world, 3) as shelves:
        yield shelves


class Caller:
    """Somebody who calls, and remembers who answered."""

    def __init__(self, client: RpcClient) -> None:
        self._client = client
        self.answers: Counter[str] = Counter()
        self._methods: dict[str, Any] = {
            path: client.channel.unary_unary(path) for path in (READ, WRITE)
        }

    async def call(self, path: str = READ, affinity: str | None = None) -> str:
        answer: bytes = await self._client.call(
            self._methods[path], b"", affinity=affinity, timeout=10.0
        )
        self.answers[answer.decode()] += 1
        return answer.decode()


@asynccontextmanager
async def calling(world: World, **options: Any) -> AsyncIterator[Caller]:
    async with RpcClient(world.registry, "echo", world.identity("gateway"), **options) as client:
        yield Caller(client)


async def calls_during(
    caller: Caller, path: str, stopping: asyncio.Task[str]
) -> list[asyncio.Task[str]]:
    """Call all the time until one instance has stopped, and a bit longer."""
    calls: list[asyncio.Task[str]] = []
    for _ in range(20):
        calls.append(asyncio.create_task(caller.call(path)))
        await asyncio.sleep(0)
    while not stopping.done():
        calls.append(asyncio.create_task(caller.call(path)))
        await asyncio.sleep(0.0005)
    await stopping
    return calls


@pytest.mark.parametrize("path", [READ, WRITE])
async def test_calls_that_come_as_an_instance_stops_are_made_elsewhere(
    world: World, path: str
) -> None:
    """Many times, as it takes some luck to come when its server has stopped listening and has not said so."""
    for _ in range(20):
        world.registry = StaticRegistry()
        async with Shelves(world, 2) as shelves, calling(world) as caller:
            for _ in range(4):
                await caller.call(path)
            stopping = asyncio.create_task(shelves.stop(0))
            calls = await calls_during(caller, path, stopping)
            answers = Counter(await asyncio.gather(*calls))
            assert answers["shelf1"]
            assert sum(shelf.calls for shelf in shelves.all) == len(calls) + 4


async def test_instances_take_turns(world: World, shelves: Shelves) -> None:
    async with calling(world) as caller:
        for _ in range(30):
            await caller.call()

    assert set(caller.answers.values()) == {10}


async def test_the_busy_one_gets_less(world: World, shelves: Shelves) -> None:
    shelves.all[0].hold = asyncio.Event()
    async with calling(world, balance=Balance.LEAST_REQUESTS) as caller:
        calls = [asyncio.create_task(caller.call()) for _ in range(20)]
        await eventually(lambda: sum(caller.answers.values()) + shelves.all[0].calls == 20)
        # As often as it comes up together with one that has nothing to do it loses.
        before = shelves.all[0].calls
        for _ in range(30):
            await caller.call()
        assert shelves.all[0].calls == before
        shelves.all[0].hold.set()
        await asyncio.gather(*calls)


async def test_calls_that_belong_together_go_to_one_instance(
    world: World, shelves: Shelves
) -> None:
    async with calling(world) as caller:
        by_session = {
            session: {await caller.call(affinity=session) for _ in range(5)}
            for session in map(str, range(20))
        }

    assert all(len(answered) == 1 for answered in by_session.values())
    assert len(set().union(*by_session.values())) == 3


async def test_only_those_of_an_instance_that_is_gone_move(world: World, shelves: Shelves) -> None:
    async with calling(world) as caller:
        before = {session: await caller.call(affinity=session) for session in map(str, range(30))}
        await world.registry.deregister("echo", await shelves.stop(1))
        after = {session: await caller.call(affinity=session) for session in map(str, range(30))}

    moved = {session for session in before if before[session] != after[session]}
    assert moved == {session for session in before if before[session] == "shelf1"}


@pytest.mark.parametrize("method", [READ, WRITE])
async def test_a_call_that_was_never_sent_is_made_elsewhere(
    world: World, shelves: Shelves, method: str
) -> None:
    async with calling(world) as caller:
        await shelves.stop(0)

        for _ in range(12):
            await caller.call(method)

    assert caller.answers["shelf0"] == 0


async def test_a_read_that_failed_is_made_elsewhere(world: World, shelves: Shelves) -> None:
    shelves.all[0].fails = True
    async with calling(world) as caller:
        for _ in range(9):
            await caller.call(READ)

    assert shelves.all[0].calls > 0
    assert sum(caller.answers.values()) == 9


async def test_what_may_have_had_an_effect_is_not_repeated(world: World, shelves: Shelves) -> None:
    for shelf in shelves.all:
        shelf.fails = True
    async with calling(world) as caller:
        with pytest.raises(Unavailable, match="the store is overloaded"):
            await caller.call(WRITE)

    assert sum(shelf.calls for shelf in shelves.all) == 1


async def test_an_instance_that_fails_is_left_out_and_tried_again(
    world: World, shelves: Shelves
) -> None:
    failing = shelves.all[0]
    failing.fails = True
    async with calling(world) as caller:
        await eventually(lambda: _called(caller, failing, FAILURES))
        for _ in range(20):
            await caller.call()
        assert failing.calls == FAILURES
        failing.fails = False

        await eventually(lambda: _called(caller, failing, FAILURES + 2))

    assert caller.answers["shelf0"] >= 1


async def test_when_all_fail_they_are_asked_all_the_same(world: World, shelves: Shelves) -> None:
    for shelf in shelves.all:
        shelf.fails = True
    async with calling(world) as caller:
        for _ in range(30):
            with pytest.raises(Unavailable):
                await caller.call(WRITE)
        for shelf in shelves.all:
            shelf.fails = False

        assert await caller.call(WRITE)


async def test_repeating_does_not_multiply_what_is_overloaded(
    world: World, shelves: Shelves
) -> None:
    for shelf in shelves.all:
        shelf.fails = True
    async with calling(world) as caller:
        for _ in range(100):
            with pytest.raises(Unavailable):
                await caller.call(READ)

    # Each once, ten more from the budget, and one for ten calls after that.
    assert 100 < sum(shelf.calls for shelf in shelves.all) <= 121


async def test_a_read_that_takes_long_is_made_a_second_time(world: World, shelves: Shelves) -> None:
    slow = shelves.all[0]
    slow.hold = asyncio.Event()
    async with calling(world, hedge_after=0.02) as caller:
        for _ in range(6):
            await caller.call(READ)
        assert slow.calls >= 1
        assert caller.answers["shelf0"] == 0

        first = [asyncio.create_task(caller.call(WRITE)) for _ in range(3)]
        await eventually(lambda: sum(caller.answers.values()) == 8)
        slow.hold.set()
        await asyncio.gather(*first)

    assert caller.answers["shelf0"] == 1


async def _called(caller: Caller, shelf: Shelf, times: int) -> bool:
    await caller.call()
    return shelf.calls >= times
