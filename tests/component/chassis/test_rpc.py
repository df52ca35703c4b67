import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from chassis.errors import (
    Cancelled,
    CannotStart,
    DeadlineExceeded,
    FieldProblem,
    Internal,
    Kind,
    PayloadTooLarge,
    PermissionDenied,
    Unauthenticated,
    Unavailable,
    error_of,
)
from chassis.health import Health
from chassis.rpc.context import Call, current_call, enter_call, find_call
from chassis.rpc.guards import AnyOf, AnyUser, Guard, ServiceOnly
from chassis.rpc.jws import sign
from chassis.rpc.keys import PublicKey
from chassis.rpc.transport import MESSAGE_LIMIT
from chassis.telemetry import metrics, tracing
from tests.component.chassis.echo import SAY, WATCH, Echo, EchoStub, World
from tests.support.time import eventually


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture(autouse=True)
def _outside_of_any_request() -> Any:
    yield
    tracing.adopt("", "")


class Recording:
    """A behaviour that keeps the calls it served."""

    def __init__(self) -> None:
        self.calls: list[Call] = []

    async def say(self, request: bytes) -> bytes:
        self.calls.append(current_call())
        return request


class UserKeys:
    """Lets users in whose tokens this made."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._identity = world.identity("issuer")

    async def key(self, kid: str) -> PublicKey:
        return self._identity._key.public_key()

    def token(self, *permissions: str, audience: str = "svc:echo") -> str:
        now = int(self._world.clock.now().timestamp())
        claims = {"iss": "autoworker", "sub": "u1", "aud": audience, "iat": now, "exp": now + 60}
        claims |= {"tenant": "default", "roles": ["user"], "permissions": list(permissions)}
        return sign(claims, self._identity._key, typ="int+jwt", kid="k1")


async def test_a_call_arrives_with_who_called_and_its_trace(world: World) -> None:
    seen = Recording()
    traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
    tracing.adopt("request-7", traceparent)
    async with world.serving(Echo(say=seen.say)), world.calling() as (client, stub):
        assert await client.call(stub.say, b"hello") == b"hello"
    (call,) = seen.calls
    assert (call.principal.kind, call.principal.id) == ("service", "gateway")
    assert (call.request_id, call.traceparent) == ("request-7", traceparent)
    assert call.deadline is not None
    # On the wire a deadline has three digits, rounded up.
    assert 25 < call.deadline - world.clock.monotonic() <= 31


async def test_a_stream_arrives_item_by_item(world: World) -> None:
    async with world.serving(Echo()), world.calling() as (client, stub):
        got = [item async for item in client.stream(stub.watch, b"3")]
    assert got == [b"0", b"1", b"2"]


@pytest.mark.parametrize(
    "metadata",
    [
        (),
        (("authorization", "Basic YTpi"),),
        (("authorization", "Bearer"),),
        (("authorization", "Bearer x.y.z"),),
        (("x-user-id", "root"),),
    ],
)
async def test_nobody_gets_in_without_a_token(world: World, metadata: Any) -> None:
    async with world.serving(Echo()) as server, grpc.aio.insecure_channel(server.address) as raw:
        with pytest.raises(grpc.aio.AioRpcError) as unary:
            await bare(raw).say(b"x", metadata=metadata)
        with pytest.raises(grpc.aio.AioRpcError) as stream:
            _ = [item async for item in bare(raw).watch(b"1", metadata=metadata)]
    codes = {unary.value.code(), stream.value.code()}
    assert codes == {grpc.StatusCode.UNAUTHENTICATED}


async def test_a_token_for_another_service_does_not_get_in(world: World) -> None:
    async with world.serving(Echo()), world.calling() as (client, stub):
        other = world.identity("gateway").token("svc:auth")
        with pytest.raises(Unauthenticated):
            await client.call(stub.say, b"x", token=other)
        assert await client.call(stub.say, b"x") == b"x"


GUARDS: list[tuple[Guard, set[str]]] = [
    ("executions:read", {"reader"}),
    (AnyUser(), {"reader", "user"}),
    (ServiceOnly(), {"gateway", "billing"}),
    (ServiceOnly(frozenset({"gateway"})), {"gateway"}),
    (AnyOf((AnyUser(), ServiceOnly(frozenset({"billing"})))), {"reader", "user", "billing"}),
]


@pytest.mark.parametrize(("guard", "welcome"), GUARDS)
async def test_a_guard_lets_in_whom_it_names(world: World, guard: Guard, welcome: set[str]) -> None:
    keys = UserKeys(world)
    tokens = {
        "reader": keys.token("executions:read"),
        "user": keys.token(),
        "gateway": world.identity("gateway").token("svc:echo"),
        "billing": world.identity("billing").token("svc:echo"),
    }
    let_in = set()
    async with (
        world.serving(Echo(), guards={SAY: guard, WATCH: guard}, keys=keys),
        world.calling() as (client, stub),
    ):
        for name, token in tokens.items():
            try:
                await client.call(stub.say, b"x", token=token)
                let_in.add(name)
            except (PermissionDenied, Unauthenticated):
                with pytest.raises((PermissionDenied, Unauthenticated)):
                    _ = [item async for item in client.stream(stub.watch, b"1", token=token)]
    assert let_in == welcome


@pytest.mark.parametrize("kind", Kind)
async def test_an_error_arrives_as_it_was_raised(world: World, kind: Kind) -> None:
    raised = error_of(kind)(
        "what happened", details=[FieldProblem("/a", "is odd")], retry_after=1.5
    )

    async def fail(_: bytes) -> bytes:
        raise raised

    async with world.serving(Echo(say=fail)), world.calling() as (client, stub):
        with pytest.raises(error_of(kind)) as caught:
            await client.call(stub.say, b"x")
    if kind is not Kind.CANCELLED:  # grpc.aio keeps no details of those
        assert caught.value.message == "what happened"
        assert caught.value.details == raised.details
        assert caught.value.retry_after == 1.5


async def test_a_stream_may_fail_in_the_middle(world: World) -> None:
    async def fail(_: bytes) -> AsyncGenerator[bytes, None]:
        yield b"first"
        raise error_of(Kind.CONFLICT)("no further")

    got: list[bytes] = []
    async with world.serving(Echo(watch=fail)), world.calling() as (client, stub):

        async def read() -> None:
            async for item in client.stream(stub.watch, b""):
                got.append(item)  # noqa: PERF401

        with pytest.raises(error_of(Kind.CONFLICT), match="no further"):
            await read()
    assert got == [b"first"]


async def test_an_unknown_exception_is_internal_and_says_nothing(world: World) -> None:
    async def fail(_: bytes) -> bytes:
        raise RuntimeError("password is hunter2")

    async with world.serving(Echo(say=fail)), world.calling() as (client, stub):
        with pytest.raises(Internal, match=r"^internal error$"):
            await client.call(stub.say, b"x")


async def test_a_call_that_takes_too_long_ends_on_both_sides(world: World) -> None:
    started, ended = asyncio.Event(), asyncio.Event()

    async def hang(_: bytes) -> bytes:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return b""

    async with world.serving(Echo(say=hang)), world.calling() as (client, stub):
        timeout = 0.05
        while not started.is_set():  # on a busy machine its time may be over before it arrives
            with pytest.raises(DeadlineExceeded):
                await client.call(stub.say, b"x", timeout=timeout)
            timeout *= 2
        await asyncio.wait_for(ended.wait(), 20)


async def test_a_call_made_within_a_call_has_what_is_left_of_its_time(world: World) -> None:
    seen = Recording()
    async with world.serving(Echo(say=seen.say)), world.calling() as (client, stub):
        await client.call(stub.say, b"x", timeout=9)
        outer = seen.calls[0]

        async def inside(left: float) -> None:
            enter_call(Call(outer.principal, "r", "", world.clock.monotonic() + left))
            await client.call(stub.say, b"x")

        await asyncio.create_task(inside(5.0))
        with pytest.raises(DeadlineExceeded):
            await asyncio.create_task(inside(-1.0))
    assert seen.calls[1].deadline is not None
    # gRPC sends timeouts a little rounded up.
    assert seen.calls[1].deadline - world.clock.monotonic() <= 5.5
    assert find_call() is None


async def test_cancelling_the_caller_cancels_the_handler(world: World) -> None:
    started, ended = asyncio.Event(), asyncio.Event()

    async def hang(_: bytes) -> bytes:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return b""

    async with world.serving(Echo(say=hang)), world.calling() as (client, stub):
        calling = asyncio.create_task(client.call(stub.say, b"x"))
        await started.wait()
        calling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await calling
        await asyncio.wait_for(ended.wait(), 20)


async def test_a_server_that_answers_cancelled_does_not_cancel_the_caller(world: World) -> None:
    async def give_up(_: bytes) -> bytes:
        raise Cancelled("somebody gave up")

    async with world.serving(Echo(say=give_up)), world.calling() as (client, stub):
        with pytest.raises(Cancelled):
            await client.call(stub.say, b"x")


async def test_leaving_a_stream_early_ends_it_at_the_server(world: World) -> None:
    ended = asyncio.Event()

    async def for_ever(_: bytes) -> AsyncGenerator[bytes, None]:
        try:
            while True:
                yield b"tick"
                await asyncio.sleep(0.001)
        finally:
            ended.set()

    async with world.serving(Echo(watch=for_ever)), world.calling() as (client, stub):
        async with aclosing(client.stream(stub.watch, b"")) as items:  # type: ignore[type-var]
            async for _ in items:
                break
        await asyncio.wait_for(ended.wait(), 20)


async def test_a_client_finds_a_server_that_restarted_on_its_port(world: World) -> None:
    async with world.calling() as (client, stub):
        async with world.serving(Echo()) as server:
            port = int(server.address.rpartition(":")[2])
            assert await client.call(stub.say, b"1") == b"1"
        with pytest.raises(Unavailable) as caught:
            await client.call(stub.say, b"2")
        assert caught.value.retry_after == 1
        async with world.serving(Echo(), port=port):
            await eventually(lambda: answers(client, stub))


async def test_a_client_finds_a_server_that_moved(world: World) -> None:
    async with world.calling() as (client, stub):
        async with world.serving(Echo()):
            assert await client.call(stub.say, b"1") == b"1"
        async with world.serving(Echo()):
            await eventually(lambda: answers(client, stub))


async def test_a_client_may_be_there_before_the_server(world: World) -> None:
    async with world.calling() as (client, stub):
        with pytest.raises(Unavailable):
            await client.call(stub.say, b"1")
        async with world.serving(Echo()):
            assert await client.call(stub.say, b"1") == b"1"


async def test_several_instances_take_turns(world: World) -> None:
    one, other = Recording(), Recording()
    async with (
        world.serving(Echo(say=one.say)),
        world.serving(Echo(say=other.say)),
        world.calling() as (client, stub),
    ):
        for _ in range(10):
            await client.call(stub.say, b"x")
    assert (len(one.calls), len(other.calls)) == (5, 5)


def bare(channel: grpc.aio.Channel) -> EchoStub:
    """A stub that adds nothing to a call."""
    return EchoStub(channel)


async def answers(client: Any, stub: Any) -> bool:
    try:
        return bool(await client.call(stub.say, b"x") == b"x")
    except Unavailable:
        return False


async def test_messages_up_to_8_mib_pass_and_larger_ones_are_refused(world: World) -> None:
    async with world.serving(Echo()), world.calling() as (client, stub):
        assert len(await client.call(stub.say, bytes(MESSAGE_LIMIT - 100))) == MESSAGE_LIMIT - 100
        with pytest.raises(PayloadTooLarge):
            await client.call(stub.say, bytes(MESSAGE_LIMIT + 1))


async def test_a_method_without_a_guard_keeps_the_server_from_starting(world: World) -> None:
    with pytest.raises(CannotStart, match=WATCH):
        await world.server(Echo(), guards={SAY: AnyUser()}).__aenter__()


async def test_a_guard_without_a_method_keeps_the_server_from_starting(world: World) -> None:
    guards: dict[str, Guard] = {SAY: AnyUser(), WATCH: AnyUser(), "/test.v1.Echo/Sya": AnyUser()}
    with pytest.raises(CannotStart, match="Sya"):
        await world.server(Echo(), guards=guards).__aenter__()


async def test_a_port_that_is_taken_is_named(world: World) -> None:
    async with world.serving(Echo()) as server:
        port = int(server.address.rpartition(":")[2])
        with pytest.raises(CannotStart, match=str(port)):
            await world.server(Echo(), port=port).__aenter__()


async def test_stopping_lets_calls_end_and_cuts_streams_off(world: World) -> None:
    started, go_on = asyncio.Event(), asyncio.Event()

    async def slow(request: bytes) -> bytes:
        started.set()
        await go_on.wait()
        return request

    async def for_ever(_: bytes) -> AsyncGenerator[bytes, None]:
        yield b"first"
        await asyncio.Event().wait()

    async with world.calling() as (client, stub):
        server = world.server(Echo(say=slow, watch=for_ever), drain=40)
        await server.__aenter__()
        await world.registry.register("echo", server.address)
        items: AsyncIterator[bytes] = client.stream(stub.watch, b"")
        assert await anext(items) == b"first"
        calling = asyncio.create_task(client.call(stub.say, b"x"))
        await started.wait()
        stopping = asyncio.create_task(server.__aexit__(None))
        with pytest.raises(Unavailable):
            await anext(items)
        go_on.set()
        assert await calling == b"x"
        await asyncio.wait_for(stopping, 20)


async def test_health_needs_no_token_and_follows_the_checks(world: World) -> None:
    health, well = Health(), True

    async def check() -> None:
        if not well:
            raise Unavailable("the store is full")

    health.add("store", check)
    async with (
        world.serving(Echo(), health=health) as server,
        grpc.aio.insecure_channel(server.address) as raw,
    ):
        stub: Any = health_pb2_grpc.HealthStub(raw)
        serving = await stub.Check(health_pb2.HealthCheckRequest())
        well = False
        ailing = await stub.Check(health_pb2.HealthCheckRequest())
    assert serving.status == health_pb2.HealthCheckResponse.SERVING
    assert ailing.status == health_pb2.HealthCheckResponse.NOT_SERVING


async def test_methods_are_not_described_to_strangers(world: World) -> None:
    async with world.serving(Echo()) as server, grpc.aio.insecure_channel(server.address) as raw:
        method = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
        calling: Any = raw.unary_unary(method)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await calling(b"")
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_calls_are_counted_by_method_and_code(world: World) -> None:
    async def fail(_: bytes) -> bytes:
        raise error_of(Kind.NOT_FOUND)("no")

    async with world.serving(Echo(say=fail)), world.calling() as (client, stub):
        with pytest.raises(error_of(Kind.NOT_FOUND)):
            await client.call(stub.say, b"x")
    counted = metrics.exposition().decode()
    assert f'grpc_server_handled_total{{code="NOT_FOUND",method="{SAY}"}}' in counted
    assert f'grpc_server_handling_seconds_count{{method="{SAY}"}}' in counted
