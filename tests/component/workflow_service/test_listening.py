"""Workflows that wait for events, through the service's own entrypoint."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec

from protos.events.v1.events_pb2 import CloudEvent
from tests.component.workflow_service.listening_victim import ADA, LISTENERS, tick
from tests.component.workflow_service.world import User, World, world
from workflow_service.application.commands.publish_events import PublishEvents

HEAD = "document: {{dsl: '1.0.3', namespace: test, name: {}, version: '1.0.0'}}\n"
ONE = HEAD.format("one") + "do:\n- l: {listen: {to: {one: {with: {type: order.paid}}}}}"
ORDER = HEAD.format("order") + (
    "do:\n- l:\n    listen:\n      to:\n        one:\n          with: {type: order.paid}\n"
    "          correlate: {order: {from: .data.order, expect: '${ .id }'}}"
)
SHOUT = HEAD.format("shout") + (
    "do:\n- e: {emit: {event: {with: {source: /shout, type: order.paid, data: {by: '${ .who }'}}}}}"
)


def paid(name: str, data: object = None, **more: Any) -> CloudEvent:
    members: dict[str, Any] = {"id": name, "source": "/shop", "type": "order.paid"}
    return CloudEvent(data=msgspec.json.encode(data), **members | more)


async def test_an_event_from_outside_ends_the_waiting(suite: World, ada: User) -> None:
    await ada.publish(ONE)
    waiting = await ada.start("one", {})
    assert (await ada.get(waiting.id)).status == "waiting"

    assert await ada.send(paid("a", {"x": 1})) == 1

    done = await ada.until_ended(waiting.id)
    assert (done.status, msgspec.json.decode(done.output)) == ("completed", [{"x": 1}])


async def test_what_one_workflow_emits_another_hears(suite: World, ada: User) -> None:
    await ada.publish(ONE)
    await ada.publish(SHOUT)
    waiting = await ada.start("one", {})

    await ada.start("shout", {"who": "ada"}, wait=5)

    done = await ada.until_ended(waiting.id)
    assert msgspec.json.decode(done.output) == [{"by": "ada"}]


async def test_an_empty_batch_of_events_is_a_valid_one(ada: User) -> None:
    assert await ada.send() == 0


async def test_tenants_never_hear_each_other(suite: World, ada: User) -> None:
    stranger = suite.user("eve", tenant="other")
    await ada.publish(ONE)
    waiting = await ada.start("one", {})

    assert await stranger.send(paid("a", "forged")) == 1
    assert await ada.send(paid("a", "real")) == 1

    done = await ada.until_ended(waiting.id)
    assert msgspec.json.decode(done.output) == ["real"]


async def test_only_those_who_correlate_hear_an_event(suite: World, ada: User) -> None:
    await ada.publish(ORDER)
    seven, eight = await ada.start("order", {"id": 7}), await ada.start("order", {"id": 8})

    await ada.send(paid("a", {"order": 8}))

    assert (await ada.until_ended(eight.id)).status == "completed"
    assert (await ada.get(seven.id)).status == "waiting"
    explained = await ada.explain(seven.id)
    assert "order.paid" in explained.summary


async def test_waiting_outlives_the_process_and_misses_nothing(tmp_path: Path) -> None:
    async with world(tmp_path) as first:
        ada = first.user()
        await ada.publish(ORDER)
        waiting = await ada.start("order", {"id": 7})
        await ada.send(paid("before", {"order": 1}))
    async with world(tmp_path) as second:
        ada = second.user()
        assert (await ada.get(waiting.id)).status == "waiting"
        await ada.send(paid("after", {"order": 7}))
        assert (await ada.until_ended(waiting.id)).status == "completed"


async def test_filters_may_be_costly_and_endless_ones_harm_nobody(suite: World, ada: User) -> None:
    text = "do:\n- l: {{listen: {{to: {{one: {{with: {{type: order.paid, data: '{}'}}}}}}}}}}"
    ways = {
        "known": "${ [limit(600; repeat(1))] | length == 600 }",
        "asked": "${ . as $d | [limit(600; repeat(1))] | length == 600 and $d == $input.n }",
        "endless": "${ [repeat(1)] | length == 1 }",
    }
    for name, filtered in ways.items():
        await ada.publish(HEAD.format(name) + text.format(filtered))
    waiting = {name: await ada.start(name, {"n": 1}) for name in ways}

    await ada.send(paid("a", 1))

    for name in ("known", "asked"):
        done = await ada.until_ended(waiting[name].id)
        assert (done.status, msgspec.json.decode(done.output)) == ("completed", [1]), name
    assert (await ada.get(waiting["endless"].id)).status == "waiting"


async def test_a_cancelled_execution_no_longer_waits(suite: World, ada: User) -> None:
    await ada.publish(ONE)
    waiting = await ada.start("one", {})
    await ada.cancel(waiting.id)

    await ada.send(paid("a"))

    assert (await ada.get(waiting.id)).status == "cancelled"


async def test_the_history_tells_of_correlation_and_of_events(suite: World, ada: User) -> None:
    await ada.publish(ORDER)
    waiting = await ada.start("order", {"id": 7})
    await ada.send(paid("a", {"order": 7}))
    await ada.until_ended(waiting.id)

    told = {event.type: event for event in (await ada.history(waiting.id)).events}

    completed = told["io.serverlessworkflow.workflow.correlation-completed.v1"]
    assert msgspec.json.decode(completed.data)["correlationKeys"] == {"order": "7"}
    assert "io.serverlessworkflow.workflow.correlation-started.v1" in told
    heard = msgspec.json.decode(told["io.autoworker.workflow.event-received.v1"].data)
    assert heard["event"] == {"id": "a", "source": "/shop", "type": "order.paid"}


def killed(folder: Path, events: int) -> int:
    """Let events come until so many were acknowledged, kill the service; return how many that were at the end."""
    arguments = [sys.executable, "-m", f"{__package__}.listening_victim", str(folder)]
    acknowledged = 0
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            acknowledged += line.startswith("sent ")
            if acknowledged == events:
                break
        process.send_signal(signal.SIGKILL)
        acknowledged += sum(line.startswith("sent ") for line in process.stdout)
    return acknowledged


async def test_every_listener_hears_every_event_once_although_the_service_is_killed(
    tmp_path: Path,
) -> None:
    acknowledged = killed(tmp_path, 30)

    async with world(tmp_path) as back:
        ada = back.user()
        commands = back.service.app.commands
        last = acknowledged + 3
        for number in range(1, last + 1):  # those that were acknowledged are sent again
            await commands.publish_events(PublishEvents(ADA, (tick(number),)))
        await commands.publish_events(PublishEvents(ADA, (tick(0, "stop"),)))
        listeners = [each.id for each in (await ada.list(limit=100)).executions]
        assert len(listeners) == LISTENERS
        for listener in listeners:
            heard = msgspec.json.decode((await ada.until_ended(listener)).output)
            assert heard == list(range(1, last + 1))
