"""Attack 5, for rights: what was taken away opens nothing any more, on any gateway, within a second."""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import pytest

from tests.e2e.attacks.raw import Raw, raw_as
from tests.support.access import administrator, give_id, id_of, role_with, send
from tests.support.gateway_client import PASSWORD, Person
from tests.support.second_gateway import second_gateway
from tests.support.suite import Suite

ROUNDS = 8
PROMISED = 1.0
"""Seconds, for what is usual; a single change may meet a machine that does something else, and so may a question."""
PATIENCE = 20.0
AFTERWARDS = 5
"""How often it is asked again: what is refused stays refused."""

Step = Callable[[], Awaitable[None]]


@dataclass(slots=True)
class Watch:
    """Somebody at several gateways, and how long changes took to be in force there."""

    gateways: list[Raw]
    took: list[float] = field(default_factory=list)
    """Until the last question that was still answered as before; the one after it may have been on its way for long."""

    async def until(self, allowed: bool, since: float) -> None:
        """Ask every gateway until it answers so, and then some."""
        await asyncio.gather(*(self._until(each, allowed, since) for each in self.gateways))

    async def _until(self, gateway: Raw, allowed: bool, since: float) -> None:
        asked, before = time.monotonic(), since
        while await _allowed(gateway) is not allowed:
            assert time.monotonic() - since < PATIENCE, "the change is not in force at all"
            await asyncio.sleep(0.005)
            asked, before = time.monotonic(), asked
        self.took.append(before - since)
        for _ in range(AFTERWARDS):
            assert await _allowed(gateway) is allowed, "the change was in force, and is not"


async def _allowed(gateway: Raw) -> bool:
    answer = await gateway("GET", "/v1/functions")
    assert answer.status in (200, 401, 403), answer.body
    return answer.status == 200


@pytest.fixture
async def watch(suite: Suite, ada: Person) -> AsyncIterator[Watch]:
    """Ada, with a session at each of two gateways."""
    async with AsyncExitStack() as stack:
        other = await stack.enter_async_context(second_gateway(suite))
        first = await stack.enter_async_context(raw_as(suite.url, ada.email, PASSWORD))
        second = await stack.enter_async_context(raw_as(other, ada.email, PASSWORD))
        yield Watch([first, second])


async def rounds(watch: Watch, take: Step, give: Step) -> None:
    """Take a right away and give it back, again and again; both must be in force in time."""
    await watch.until(True, time.monotonic())
    watch.took.clear()
    for _ in range(ROUNDS):
        for step, allowed in ((take, False), (give, True)):
            await step()
            await watch.until(allowed, time.monotonic())
    worst = statistics.quantiles(watch.took, n=100)[98]
    print(f"in force after {statistics.median(watch.took):.3f} s, p99 {worst:.3f} s")  # noqa: T201
    assert statistics.median(watch.took) < PROMISED, sorted(watch.took)


async def test_the_roles_of_a_user(suite: Suite, ada: Person, watch: Watch) -> None:
    who = await id_of(ada)
    async with administrator(suite) as admin:
        await rounds(
            watch,
            take=lambda: give_id(admin, who),
            give=lambda: give_id(admin, who, "user"),
        )


async def test_what_a_role_gives(suite: Suite, ada: Person, watch: Watch) -> None:
    who = await id_of(ada)
    async with administrator(suite) as admin:
        base = await role_with(admin, "functions:read")
        await give_id(admin, who, await role_with(admin, parents=(base,)))

        async def put(*permissions: str) -> None:
            body = {"permissions": list(permissions)}
            assert (await send(admin, "PUT", f"/v1/roles/{base}", body)).status == 200

        await rounds(watch, take=put, give=lambda: put("functions:read"))


async def test_what_policies_refuse(suite: Suite, ada: Person, watch: Watch) -> None:
    condition = f"principal.id == '{await id_of(ada)}'"
    body = {"effect": "deny", "actions": ["functions:*"], "condition": condition}
    async with administrator(suite) as admin:

        async def put() -> None:
            assert (await send(admin, "PUT", "/v1/policies/revocation", body)).status == 200

        async def delete() -> None:
            assert (await send(admin, "DELETE", "/v1/policies/revocation")).status == 204

        await rounds(watch, take=put, give=delete)


async def test_an_open_stream_of_events(suite: Suite, ada: Person) -> None:
    who = await id_of(ada)
    async with (
        administrator(suite) as admin,
        raw_as(suite.url, ada.email, PASSWORD) as api,
        api.http.get("/v1/notifications/stream") as stream,
    ):
        assert stream.status == 200
        await give_id(admin, who)
        async with asyncio.timeout(PATIENCE):
            await stream.read()
        assert (await api("GET", "/v1/notifications/stream")).status == 403


async def test_a_user_who_is_deactivated(suite: Suite, ada: Person, watch: Watch) -> None:
    path = f"/v1/users/{await id_of(ada)}/deactivate"
    await watch.until(True, time.monotonic())
    async with administrator(suite) as admin:
        assert (await send(admin, "POST", path)).status == 200
        since = time.monotonic()
        await watch.until(False, since)

    assert statistics.median(watch.took) < PROMISED
