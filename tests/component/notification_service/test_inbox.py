"""Events in, inbox out."""

import asyncio
import json
from contextlib import aclosing
from pathlib import Path
from typing import Any, cast

import aiohttp
import pytest

from chassis.errors import Invalid, NotFound, PermissionDenied, Unauthenticated
from tests.component.notification_service.world import World, world
from tests.support.time import eventually


async def test_a_newcomer_is_welcomed(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        await w.registered("alice")

        [welcome] = await w.user("alice").inbox()

    assert (welcome.type, welcome.position) == ("user.welcome", 1)
    assert not welcome.HasField("read_at")


async def test_the_starter_learns_of_the_end(tmp_path: Path) -> None:
    error = {"type": "https://x/timeout", "status": 408, "title": "Timeout", "detail": "too slow"}
    async with world(tmp_path) as w:
        await w.ended("alice", "faulted", error=error)

        [told] = await w.user("alice").inbox()

    assert told.type == "execution.faulted"
    assert told.title == "shop/order 1.0.0 has faulted"
    data = json.loads(told.data)
    assert (data["execution_id"], data["status"]) == ("x1", "faulted")
    assert data["error"]["title"] == "Timeout"


async def test_an_event_that_comes_twice_gives_one_notification(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        for _ in range(3):
            await w.ended("alice", id_="same")
            await w.registered("alice", id_="same")

        assert len(await w.user("alice").inbox()) == 2


async def test_an_event_that_comes_again_after_a_restart_gives_nothing(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        await w.ended("alice", id_="same")

    async with world(tmp_path) as w:
        await w.ended("alice", id_="same")

        assert len(await w.user("alice").inbox()) == 1


async def test_events_at_the_same_time_are_each_told_once(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        again = [w.ended("alice", id_=f"e{number % 20}") for number in range(60)]
        await asyncio.gather(*again)

        told = await w.user("alice").inbox()

    assert [each.position for each in told] == list(range(20, 0, -1))


@pytest.mark.parametrize("data", [b"{", {"user_id": "alice"}, b"[]"])
async def test_a_malformed_event_is_put_aside_and_blocks_nothing(
    tmp_path: Path, data: object
) -> None:
    async with world(tmp_path) as w:
        await w.say("io.autoworker.auth.user-registered.v1", data)
        await w.registered("alice")

        assert len(await w.user("alice").inbox()) == 1
        assert len(w.bus.dead_letters) == 1


async def test_pages_lead_from_one_to_the_next(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        for _ in range(5):
            await w.ended("alice")
        alice = w.user("alice")

        first = await alice.page(limit=3)
        second = await alice.page(limit=3, cursor=first.next_cursor)

    positions = [each.position for each in (*first.notifications, *second.notifications)]
    assert positions == [5, 4, 3, 2, 1]
    assert second.next_cursor == ""


@pytest.mark.parametrize("query", [{"limit": 201}, {"limit": -1}, {"cursor": "nonsense"}])
async def test_a_page_that_cannot_be_is_refused(tmp_path: Path, query: dict[str, object]) -> None:
    async with world(tmp_path) as w:
        with pytest.raises(Invalid):
            await w.user("alice").page(**query)


async def test_reading_is_remembered_and_idempotent(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        await w.ended("alice")
        await w.ended("alice")
        alice = w.user("alice")
        newest = (await alice.inbox())[0]

        once = await alice.read(newest.id)
        twice = await alice.read(newest.id)

        assert once.HasField("read_at")
        assert once == twice
        assert [each.position for each in await alice.inbox(unread_only=True)] == [1]


async def test_the_notifications_of_others_do_not_exist(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        await w.ended("alice")
        alice = w.user("alice")
        [hers] = await alice.inbox()

        for stranger in (w.user("bob"), w.user("alice", tenant="elsewhere")):
            assert await stranger.inbox() == []
            assert await stranger.deliveries() == []
            with pytest.raises(NotFound):
                await stranger.read(hers.id)
            with pytest.raises(NotFound):
                await stranger.deliveries(hers.id)

        assert not (await alice.inbox())[0].HasField("read_at")
        assert [each.channel for each in await alice.deliveries(hers.id)] == ["inbox"]


async def test_who_may_only_read_cannot_change(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        await w.ended("alice")
        reader = w.user("alice", permissions=("notifications:read",))
        [hers] = await reader.inbox()

        with pytest.raises(PermissionDenied):
            await reader.read(hers.id)
        with pytest.raises(PermissionDenied):
            await reader.want_email(False)


async def test_who_may_nothing_sees_nothing(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        nobody = w.user("alice", permissions=())

        with pytest.raises(PermissionDenied):
            await nobody.inbox()
        with pytest.raises(PermissionDenied):
            await anext(cast("Any", nobody.watch()))


async def test_a_service_alone_has_no_inbox(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        service = w.user("alice").__class__(w.client, cast("Any", None))

        with pytest.raises(Unauthenticated):
            await service.inbox()


async def test_preferences_are_ones_own(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        alice, bob = w.user("alice"), w.user("bob")

        assert await alice.wants_email()
        assert not await alice.want_email(False)
        assert not await alice.wants_email()
        assert await bob.wants_email()


async def test_a_watch_replays_and_then_sees_live(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        for _ in range(3):
            await w.ended("alice")
        await w.ended("bob")

        async with aclosing(cast("Any", w.user("alice").watch(1))) as stream:
            replayed = [(await anext(stream)).notification.position for _ in range(2)]
            await w.ended("bob")
            await w.ended("alice", "cancelled")
            live = (await anext(stream)).notification

    assert replayed == [2, 3]
    assert (live.position, live.type) == (4, "execution.cancelled")


async def test_a_watch_misses_nothing_while_many_arrive(tmp_path: Path) -> None:
    async with world(tmp_path) as w, aclosing(cast("Any", w.user("alice").watch(0))) as stream:
        arriving = asyncio.gather(*(w.ended("alice") for _ in range(250)))
        seen = [(await anext(stream)).notification.position for _ in range(250)]
        await arriving

    assert seen == list(range(1, 251))


async def test_a_watch_without_a_position_sees_only_what_comes(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        await w.ended("alice")
        alice = w.user("alice")

        async with aclosing(cast("Any", alice.watch())) as stream:
            first = asyncio.ensure_future(anext(stream))
            # The stream began at some moment: whatever came before that, it leaves out.
            await eventually(lambda: _tell_until(w, first))
            notification = (await first).notification

    assert notification.position > 1


async def test_operators_see_what_was_told(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        await w.ended("alice")
        async with aiohttp.ClientSession(f"http://{w.service.admin_address}") as http:
            async with http.get("/metrics") as response:
                metrics = await response.text()
            async with http.get("/readyz") as response:
                ready = response.status

    assert ready == 200
    assert 'notifications_total{type="execution.completed"}' in metrics


async def _tell_until(w: World, first: "asyncio.Future[object]") -> bool:
    await w.ended("alice")
    return first.done()
