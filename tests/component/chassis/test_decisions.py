"""A server whose callers must satisfy policies besides their permission."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from chassis.audit import SilentAudit
from chassis.errors import CannotStart, PermissionDenied, Unavailable
from chassis.policies.book import LOST, PolicyBook
from chassis.policies.model import Effect, Mode, Policy
from chassis.rpc.context import Call, Principal, enter_call
from chassis.rpc.guards import AnyOf, AnyUser, Guard
from tests.component.chassis.echo import SAY, WATCH, Echo, World
from tests.component.chassis.test_rpc import UserKeys
from tests.support.time import ManualClock

READ = "things:read"
GUARDS: dict[str, Guard] = {SAY: READ, WATCH: AnyOf((AnyUser(), READ))}


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A registry and keys."""
    return World(tmp_path / "keys")


def policy(condition: str, actions: Sequence[str] = ("things:*",)) -> Policy:
    return Policy("guarded", 1, Effect.DENY, Mode.ENFORCE, tuple(actions), condition)


def book(*policies: Policy) -> PolicyBook:
    made = PolicyBook(ManualClock(), SilentAudit())
    made.replace({"default": policies})
    made.heard()
    return made


@pytest.mark.parametrize(
    ("condition", "refused"),
    [
        ("true", True),
        ("context.operation == 'Say' && action == 'things:read'", True),
        ("resource.name == 'hello'", True),
        ("resource.name == 'other'", False),
        ("context.address == '192.0.2.7'", True),
        ("principal.id == 'u1' && 'user' in principal.roles", True),
        ("resource.owner == principal.id", True),
        ("false", False),
    ],
)
async def test_a_policy_decides_by_who_calls_from_where_and_what_the_request_says(
    world: World, condition: str, *, refused: bool
) -> None:
    keys, said = UserKeys(world), list[bytes]()

    async def say(request: bytes) -> bytes:
        said.append(request)
        return request

    # As the gateway does: the address goes along with every call.
    enter_call(Call(Principal("x", "", "service"), "r1", "", None, "192.0.2.7"))
    async with (
        world.serving(
            Echo(say=say),
            guards=GUARDS,
            keys=keys,
            decisions=book(policy(condition)),
            readings={SAY: lambda message: {"name": message.decode()}},
        ),
        world.calling() as (client, stub),
    ):
        if refused:
            with pytest.raises(PermissionDenied, match="The policy guarded refuses this"):
                await client.call(stub.say, b"hello", token=keys.token(READ))
        else:
            assert await client.call(stub.say, b"hello", token=keys.token(READ)) == b"hello"
    assert said == ([] if refused else [b"hello"])


async def test_streams_are_refused_as_well_and_services_are_not_asked(world: World) -> None:
    keys = UserKeys(world)
    guards: dict[str, Guard] = {SAY: AnyOf((READ, AnyUser())), WATCH: READ}
    async with (
        world.serving(Echo(), guards=guards, keys=keys, decisions=book(policy("true"))),
        world.calling() as (client, stub),
    ):
        with pytest.raises(PermissionDenied):
            _ = [each async for each in client.stream(stub.watch, b"1", token=keys.token(READ))]
        # Without the permission it is another guard that lets them in, and no policy is about that.
        assert await client.call(stub.say, b"x", token=keys.token()) == b"x"


async def test_an_open_stream_ends_with_the_first_event_that_a_policy_refuses(world: World) -> None:
    keys, known = UserKeys(world), book()
    async with (
        world.serving(Echo(), guards={SAY: READ, WATCH: READ}, keys=keys, decisions=known),
        world.calling() as (client, stub),
    ):
        stream = client.stream(stub.watch, b"100000", token=keys.token(READ))
        assert await anext(stream) == b"0"
        known.put("default", [policy("true")])
        with pytest.raises(PermissionDenied):
            async for _ in stream:
                pass


async def test_who_comes_from_outside_cannot_say_from_where(world: World) -> None:
    keys = UserKeys(world)
    enter_call(Call(Principal("x", "", "service"), "r1", "", None, "192.0.2.7"))
    spoofed, real = "context.address == '192.0.2.7'", "context.address == '127.0.0.1'"
    async with (
        world.serving(Echo(), guards=GUARDS, keys=keys, decisions=book(policy(real)), outside=True),
        world.calling() as (client, stub),
    ):
        with pytest.raises(PermissionDenied):
            await client.call(stub.say, b"x", token=keys.token(READ))
    async with (
        world.serving(
            Echo(), guards=GUARDS, keys=keys, decisions=book(policy(spoofed)), outside=True
        ),
        world.calling() as (client, stub),
    ):
        assert await client.call(stub.say, b"x", token=keys.token(READ)) == b"x"


@pytest.mark.parametrize(
    ("known", "refused"), [({"owner": "u1"}, True), ({"owner": "u2"}, False), (None, False)]
)
async def test_what_a_request_does_not_say_is_looked_up_when_a_policy_asks(
    world: World, known: dict[str, object] | None, *, refused: bool
) -> None:
    keys, asked = UserKeys(world), list[bytes]()

    async def lookup(_principal: Principal, message: bytes) -> dict[str, object] | None:
        asked.append(message)
        return known

    policies = book(policy("resource.id == 'x' && resource.owner == principal.id"))
    async with (
        world.serving(
            Echo(),
            guards=GUARDS,
            keys=keys,
            decisions=policies,
            readings={SAY: lambda message: {"id": message.decode()}},
            lookups={SAY: lookup},
        ),
        world.calling() as (client, stub),
    ):
        if refused:
            with pytest.raises(PermissionDenied):
                await client.call(stub.say, b"x", token=keys.token(READ))
        else:
            assert await client.call(stub.say, b"x", token=keys.token(READ)) == b"x"
        policies.put("default", [policy("resource.id == 'y'")])
        assert await client.call(stub.say, b"x", token=keys.token(READ)) == b"x"
    assert asked == [b"x"]


async def test_without_the_permission_no_policy_is_asked(world: World) -> None:
    keys = UserKeys(world)
    async with (
        world.serving(Echo(), guards=GUARDS, keys=keys, decisions=book(policy("true"))),
        world.calling() as (client, stub),
    ):
        with pytest.raises(PermissionDenied, match="you may not do this"):
            await client.call(stub.say, b"x", token=keys.token("others:read"))


async def test_when_the_policies_are_not_told_any_more_nobody_passes(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chassis.policies.book.PATIENCE", 0.05)
    keys, clock = UserKeys(world), ManualClock()
    known = PolicyBook(clock, SilentAudit())
    async with (
        world.serving(Echo(), guards=GUARDS, keys=keys, decisions=known),
        world.calling() as (client, stub),
    ):
        for tell in (known.heard, lambda: clock.advance(LOST - 1), lambda: clock.advance(2)):
            tell()
            answered = known.ready
            if answered:
                assert await client.call(stub.say, b"x", token=keys.token(READ)) == b"x"
        with pytest.raises(Unavailable):
            await client.call(stub.say, b"x", token=keys.token(READ))
        known.heard()
        assert await client.call(stub.say, b"x", token=keys.token(READ)) == b"x"


async def test_a_reading_of_nothing_does_not_start(world: World) -> None:
    server = world.server(Echo(), guards=GUARDS, readings={"/no.such/Method": dict})

    with pytest.raises(CannotStart, match=r"/no\.such/Method"):
        async with server:
            pass
