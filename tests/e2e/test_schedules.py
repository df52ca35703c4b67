"""Schedules through the real suite: over HTTP, by the client, and on the command line."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from autoworker import Client, Conflict, InvalidRequest, NotFound, PermissionDenied
from tests.support.gateway_client import Person, signed_up
from tests.support.suite import Suite, command_line
from tests.support.time import eventually


@pytest.fixture
async def bob(suite: Suite) -> AsyncIterator[Person]:
    async with signed_up(suite.url, "Bob") as person:
        yield person


@pytest.fixture
async def admin(suite: Suite) -> AsyncIterator[Client]:
    known = json.loads((suite.data / "admin.json").read_text())
    async with Client(suite.url, email=known["email"], password=known["password"]) as client:
        yield client


def document(name: str, schedule: str, version: str = "1.0.0", metadata: str = "{}") -> str:
    head = (
        f"{{dsl: 1.0.3, namespace: timed, name: {name}, version: {version}, metadata: {metadata}}}"
    )
    return f"document: {head}\nschedule: {schedule}\ndo: [{{a: {{set: {{x: 1}}}}}}]"


async def test_a_schedule_starts_its_workflow_again_and_again(ada: Person) -> None:
    await ada.publish(document("beat", "{every: PT1S}"))

    async def twice() -> bool:
        return (await ada.schedule("timed.beat")).started >= 2

    await eventually(twice, within=30)
    found = await ada.schedule("timed.beat")
    await ada.pause_schedule("timed.beat")
    assert (found.kind, found.seconds) == ("every", 1.0)
    run = await ada.get(found.last_runs[0].execution_id)
    assert run.schedule is not None
    assert (run.schedule.id, run.schedule.kind) == ("timed.beat", "every")
    assert run.status == "completed"
    first, second = (each.at for each in found.last_runs[:2])
    assert first is not None
    assert second is not None
    assert (first - second).total_seconds() == 1.0


async def test_events_start_a_workflow_with_them_as_its_input(ada: Person) -> None:
    on = """{on: {all: [
      {with: {type: shop.placed}, correlate: {order: {from: .data.order}}},
      {with: {type: shop.paid}, correlate: {order: {from: .data.order}}}]}, read: envelope}"""
    await ada.publish(document("sold", on))
    for number, kind in enumerate(("placed", "paid")):
        event = {
            "specversion": "1.0",
            "id": f"sold-{number}",
            "source": "/shop",
            "type": f"shop.{kind}",
            "data": {"order": 7},
        }
        kind_of_body = {"Content-Type": "application/cloudevents+json"}
        await ada._send("POST", "/v1/events", json.dumps(event).encode(), kind_of_body)

    async def once() -> bool:
        return (await ada.schedule("timed.sold")).started == 1

    await eventually(once, within=30)
    found = await ada.schedule("timed.sold")
    assert (found.kind, found.read) == ("on", "envelope")
    run = await ada.get(found.last_runs[0].execution_id)
    given: Any = run.input
    assert [event["type"] for event in given] == ["shop.placed", "shop.paid"]
    assert run.schedule is not None
    assert (run.schedule.kind, run.schedule.at) == ("on", None)


async def test_a_schedule_is_seen_paused_triggered_and_resumed(ada: Person) -> None:
    await ada.publish(
        document("night", "{cron: 30 2 * * *}", metadata="{schedule: {timezone: Europe/Berlin}}")
    )
    found = await ada.schedule("timed.night")
    assert (found.cron, found.timezone) == ("30 2 * * *", "Europe/Berlin")
    assert len(found.next_runs) == 5
    assert found in [each async for each in ada.schedules()]

    paused = await ada.pause_schedule("timed.night", "stocktaking")
    assert paused.paused is not None
    assert (paused.paused.reason, paused.next_runs) == ("stocktaking", [])
    with pytest.raises(Conflict):
        await ada.pause_schedule("timed.night")

    begun = await ada.trigger_schedule("timed.night")
    assert begun.schedule is not None
    assert (begun.schedule.kind, begun.schedule.at) == ("trigger", None)
    shown = await ada.schedule("timed.night")
    assert [run.execution_id for run in shown.last_runs] == [begun.id]

    resumed = await ada.resume_schedule("timed.night")
    assert resumed.next_runs == found.next_runs
    with pytest.raises(Conflict):
        await ada.resume_schedule("timed.night")


async def test_only_its_publisher_and_administrators_take_hold_of_it(
    ada: Person, bob: Person, admin: Client
) -> None:
    await ada.publish(document("hers", "{cron: 0 0 1 1 *}"))

    assert (await bob.schedule("timed.hers")).id == "timed.hers"
    for attempt in (bob.pause_schedule, bob.resume_schedule, bob.trigger_schedule):
        with pytest.raises(PermissionDenied):
            await attempt("timed.hers")
    begun = await admin.trigger_schedule("timed.hers")
    assert (await ada.get(begun.id)).schedule is not None
    assert (await bob.schedule("timed.hers")).last_runs == []
    with pytest.raises(NotFound):
        await bob.get(begun.id)


@pytest.mark.parametrize("schedule", ["nothing.here", "nothing", "a.b.c", "%2e%2e"])
async def test_a_schedule_that_is_not_there_is_not_found(ada: Person, schedule: str) -> None:
    for attempt in (ada.schedule, ada.pause_schedule, ada.resume_schedule, ada.trigger_schedule):
        with pytest.raises(NotFound):
            await attempt(schedule)


@pytest.mark.parametrize(
    ("schedule", "metadata", "field"),
    [
        ("{cron: every day}", "{}", "/schedule/cron"),
        ("{cron: 0 0 30 2 *}", "{}", "/schedule/cron"),
        ("{every: PT0.001S}", "{}", "/schedule/every"),
        ("{}", "{}", "/schedule"),
        (
            "{cron: 0 0 * * *}",
            "{schedule: {timezone: Mars}}",
            "/document/metadata/schedule/timezone",
        ),
    ],
)
async def test_a_schedule_that_makes_no_sense_is_refused_at_its_place(
    ada: Person, schedule: str, metadata: str, field: str
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        await ada.publish(document("wrong", schedule, metadata=metadata))

    assert refused.value.status == 422
    assert [detail.field for detail in refused.value.details] == [field]
    with pytest.raises(NotFound):
        await ada.schedule("timed.wrong")


async def test_a_version_without_a_schedule_ends_it(ada: Person) -> None:
    await ada.publish(document("once", "{cron: 0 0 1 1 *}"))
    plain = document("once", "{}", "1.1.0").replace("schedule: {}\n", "")
    await ada.publish(plain)

    with pytest.raises(NotFound):
        await ada.schedule("timed.once")


async def test_the_command_line_lists_shows_and_switches(suite: Suite, admin: Client) -> None:
    await admin.publish(document("typed", "{every: PT1H}"))

    listed = command_line(suite.folder, "schedules", "list").stdout.split()
    assert listed[listed.index("timed.typed") :][:4] == ["timed.typed", "every", "3600", "s"]
    paused = command_line(suite.folder, "schedules", "pause", "timed.typed", "--reason", "lunch")
    assert "timed.typed is paused." in paused.stdout
    shown = command_line(suite.folder, "schedules", "show", "timed.typed").stdout
    assert "lunch" in shown
    assert (
        "goes on: next run 20"
        in command_line(suite.folder, "schedules", "resume", "timed.typed").stdout
    )
    begun = command_line(suite.folder, "schedules", "trigger", "timed.typed").stdout.strip()
    assert (await admin.get(begun)).schedule is not None
    wrong = command_line(suite.folder, "schedules", "show", "timed.nothing")
    assert wrong.returncode != 0
