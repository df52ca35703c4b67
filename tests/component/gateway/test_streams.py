"""Server-sent events: live, resumable, and gone when they should be."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp

from tests.component.gateway.world import World, a_world
from tests.support.time import eventually


async def events_of(response: aiohttp.ClientResponse) -> AsyncIterator[dict[str, Any]]:
    """The events of a stream; comments are left out."""
    assert response.status == 200
    assert response.headers["Content-Type"] == "text/event-stream"
    event: dict[str, Any] = {}
    async for line in response.content:
        text = line.decode().rstrip("\n")
        if not text and "data" in event:
            yield event
            event = {}
        name, _, value = text.partition(": ")
        if name in {"id", "event"}:
            event[name] = value
        elif name == "data":
            event["data"] = json.loads(value)


def open_stream(world: World, path: str, **headers: str) -> Any:
    """A stream, about to be opened."""
    return world.http.get(world.url + path, headers=world.bearer() | headers)


async def test_events_come_live_until_the_execution_has_ended(world: World) -> None:
    world.workflows.begin()

    async with open_stream(world, "/v1/executions/e1/events") as response:
        events = events_of(response)
        first = await anext(events)
        await world.workflows.happen("e1", "completed", "completed", '{"output": [1,\n2]}')
        rest = [event async for event in events]

    assert first == {
        "id": "1",
        "event": "io.serverlessworkflow.workflow.started.v1",
        "data": {
            "sequence": 1,
            "type": "io.serverlessworkflow.workflow.started.v1",
            "time": "2026-01-15T10:30:00Z",
            "data": {},
        },
    }
    assert [event["id"] for event in rest] == ["2"]
    assert rest[0]["data"]["data"] == {"output": [1, 2]}


async def test_a_stream_goes_on_after_the_last_event_id(world: World) -> None:
    world.workflows.begin()
    await world.workflows.happen("e1", "suspended", "suspended")
    await world.workflows.happen("e1", "completed", "completed")

    async with open_stream(world, "/v1/executions/e1/events", **{"Last-Event-ID": "1"}) as response:
        by_header = [event["id"] async for event in events_of(response)]
    async with open_stream(world, "/v1/executions/e1/events?last_event_id=2") as response:
        by_query = [event["id"] async for event in events_of(response)]

    assert (by_header, by_query) == (["2", "3"], ["3"])


async def test_streams_of_the_unknown_are_plain_errors(world: World) -> None:
    world.workflows.begin()

    missing = await world.ask("GET", "/v1/executions/e9/events")
    wrong = await world.ask("GET", "/v1/executions/e1/events", headers={"Last-Event-ID": "x"})
    anonymous = await world.ask("GET", "/v1/executions/e1/events", anonymous=True)

    assert [missing.status, wrong.status, anonymous.status] == [404, 422, 401]
    assert missing.error["code"] == "NOT_FOUND"


async def test_a_client_that_left_ends_the_stream_behind(world: World) -> None:
    world.workflows.begin()
    response = await open_stream(world, "/v1/executions/e1/events")
    await anext(events_of(response))

    response.close()

    await eventually(lambda: "WatchHistory" in world.workflows.behaviour.cancelled)


async def test_silence_is_filled_with_comments(tmp_path: Path) -> None:
    async with a_world(tmp_path, heartbeat=0.05) as world:
        world.workflows.begin()
        async with open_stream(world, "/v1/executions/e1/events") as response:
            seen = b""
            async with asyncio.timeout(20):
                while seen.count(b"\n:\n") < 2:
                    seen += await response.content.readany()


async def test_logging_out_ends_the_sessions_streams(world: World) -> None:
    world.workflows.begin()
    mine = world.http.get(
        world.url + "/v1/executions/e1/events", headers=world.bearer(session="s7")
    )
    async with mine as response, open_stream(world, "/v1/executions/e1/events") as other:
        await world.ask("POST", "/v1/auth/logout", headers=world.bearer(session="s7"))

        async with asyncio.timeout(20):
            assert [event["id"] async for event in events_of(response)] == ["1"]
        assert not other.content.at_eof()


async def test_notifications_come_live_and_from_after_an_id(world: World) -> None:
    await world.notifications.tell("old")

    async with open_stream(world, "/v1/notifications/stream") as response:
        events = events_of(response)
        coming = asyncio.ensure_future(anext(events))
        await eventually(lambda: bool(world.notifications.behaviour.named("WatchNotifications")))
        await world.notifications.tell("new")
        live = await coming
    async with open_stream(world, "/v1/notifications/stream", **{"Last-Event-ID": "0"}) as response:
        again = await anext(events_of(response))

    assert (live["id"], live["event"], live["data"]["title"]) == ("2", "notification", "new")
    assert again["data"]["title"] == "old"
    assert live["data"]["data"] == {"execution_id": "e1"}


async def test_the_inbox_is_read_marked_and_filtered(world: World) -> None:
    await world.notifications.tell("one")
    await world.notifications.tell("two")

    read = await world.ask("POST", "/v1/notifications/n1/read")
    unread = await world.ask("GET", "/v1/notifications?unread=true")
    missing = await world.ask("POST", "/v1/notifications/n9/read")

    assert read.status == 200
    assert read.json["read_at"] == "2026-01-15T10:30:00Z"
    assert set(read.json) == {"id", "type", "title", "body", "data", "read_at", "created_at"}
    assert [item["id"] for item in unread.json["items"]] == ["n2"]
    assert missing.status == 404


async def test_preferences_are_changed_by_patch_and_put(world: World) -> None:
    assert (await world.ask("GET", "/v1/notification-preferences")).json == {"email": True}

    off = await world.ask("PATCH", "/v1/notification-preferences", {"email": False})
    on = await world.ask("PUT", "/v1/notification-preferences", {"email": True})
    wrong = await world.ask("PATCH", "/v1/notification-preferences", {"email": "no", "sms": True})

    assert (off.json, on.json) == ({"email": False}, {"email": True})
    assert wrong.fields() == {"email", "sms"}


async def test_many_idle_streams_are_told_of_one_event(world: World) -> None:
    world.workflows.begin()
    responses = [await open_stream(world, "/v1/executions/e1/events") for _ in range(100)]

    await world.workflows.happen("e1", "completed", "completed")

    for response in responses:
        assert [event["id"] async for event in events_of(response)] == ["1", "2"]


async def test_stopping_ends_streams_and_finishes_requests(tmp_path: Path) -> None:
    async with a_world(tmp_path, drain_timeout=5.0) as world:
        world.workflows.begin()
        gate = world.workflows.behaviour.gates["ListExecutions"] = asyncio.Event()
        asking = asyncio.ensure_future(world.ask("GET", "/v1/executions"))
        response = await open_stream(world, "/v1/executions/e1/events")
        await eventually(lambda: bool(world.workflows.behaviour.named("ListExecutions")))

        events = events_of(response)
        first = await anext(events)

        stopping = asyncio.ensure_future(world.stop())
        async with asyncio.timeout(20):
            rest = [event["id"] async for event in events]
        gate.set()

        assert (first["id"], rest) == ("1", [])
        assert (await asking).status == 200
        await stopping


async def test_while_draining_it_says_that_it_is_not_ready(tmp_path: Path) -> None:
    async with a_world(tmp_path, drain_delay=2.0) as world:
        assert (await world.ask("GET", "/readyz", anonymous=True)).status == 200

        stopping = asyncio.ensure_future(world.stop())
        await asyncio.sleep(0)
        ready = await world.ask("GET", "/readyz", anonymous=True)

        assert (ready.status, ready.fields()) == (503, {"gateway"})
        await stopping
