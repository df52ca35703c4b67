"""What the bus hears, and what outsiders tell it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from chassis.errors import Invalid
from protos.events.v1.events_pb2 import CloudEvent
from tests.component.workflow_service.workflows import GREET
from tests.component.workflow_service.world import User, World, world
from tests.support.time import eventually

ENDED = "io.autoworker.workflow.execution-ended.v1"


async def test_the_life_of_an_execution_is_heard_in_order(suite: World, ada: User) -> None:
    done = await ada.start("greet", {"name": "Ada"}, wait=5)
    await eventually(lambda: ENDED in suite.types_heard(done.id))
    heard = [event for event in suite.heard if event.subject == done.id]
    history = (await ada.history(done.id)).events

    facts = [e for e in heard if e.type != ENDED and "status-changed" not in e.type]

    assert [event.type for event in facts] == [event.type for event in history]
    assert [event.id for event in facts] == [f"{done.id}/{e.sequence}" for e in history]
    (ended,) = (msgspec.json.decode(event.data) for event in heard if event.type == ENDED)
    assert ended == {
        "execution_id": done.id,
        "workflow": {"namespace": "test", "name": "greet", "version": "1.0.0"},
        "status": "completed",
        "owner": "ada",
        "tenant": "default",
        "error": None,
        "started_at": done.started_at.ToJsonString(),
        "ended_at": done.ended_at.ToJsonString(),
    }


async def test_what_a_workflow_emits_is_heard_as_it_is(suite: World, ada: User) -> None:
    await ada.start("emit", {"order": 7}, wait=5)
    await eventually(lambda: any(event.type == "com.shop.sold" for event in suite.heard))

    (event,) = (event for event in suite.heard if event.type == "com.shop.sold")

    assert event.source == "https://shop.test/orders"
    assert event.extensions["tenant"] == "default"
    assert msgspec.json.decode(event.data) == {"order": 7}


async def test_nothing_is_heard_twice_or_lost_over_a_restart(tmp_path: Path) -> None:
    async with world(tmp_path) as first:
        ada = first.user()
        await ada.publish(GREET)
        done = await ada.start("greet", {"name": "x"}, wait=5)
        await eventually(lambda: ENDED in first.types_heard(done.id))
        await eventually(lambda: not first.bus.dead_letters)
        heard = {event.id for event in first.heard}
    async with world(tmp_path) as second:
        other = await second.user().start("greet", {"name": "y"}, wait=5)
        await eventually(lambda: ENDED in second.types_heard(other.id))
        assert (await second.user().get(done.id)).status == "completed"
        again = {event.id for event in second.heard if event.subject == done.id}
    # A checkpoint that was not saved yet when the service stopped may repeat, never invent.
    assert again <= heard


def sent(name: str, **more: object) -> CloudEvent:
    members: dict[str, object] = {"id": name, "source": "/sensor", "type": "sensor.warm"}
    return CloudEvent(**members | more)  # type: ignore[arg-type]


async def test_events_of_outsiders_are_heard_once(suite: World, ada: User) -> None:
    stamp = Timestamp(seconds=1_700_000_000)
    full = sent(
        "a",
        time=stamp,
        subject="kitchen",
        data_content_type="application/json",
        data_schema="https://x.test/s",
        data=b'{"degrees": 21.50}',
        extensions={"room": "3"},
    )

    assert await ada.send(full, sent("b"), sent("b")) == 2
    assert await ada.send(full) == 0
    await eventually(lambda: len([e for e in suite.heard if e.source == "/sensor"]) == 2)

    event = next(event for event in suite.heard if event.id == "a")
    assert (event.type, event.subject, event.dataschema) == (
        "sensor.warm",
        "kitchen",
        "https://x.test/s",
    )
    assert event.time.timestamp() == 1_700_000_000
    assert event.data == msgspec.Raw(b'{"degrees": 21.50}')
    assert event.extensions == {"room": "3", "tenant": "default", "sender": "ada"}


@pytest.mark.parametrize(
    ("event", "field"),
    [
        (sent(""), "events/0/id"),
        (sent("a", source=""), "events/0/source"),
        (sent("a", type=""), "events/0/type"),
        (sent("a" * 2_049), "events/0/id"),
        (sent("a\x00"), "events/0/id"),
        (sent("a", type="io.autoworker.workflow.execution-ended.v1"), "events/0/type"),
        (sent("a", type="io.serverlessworkflow.workflow.completed.v1"), "events/0/type"),
        (sent("a", extensions={"tenant": "other"}), "events/0/tenant"),
        (sent("a", extensions={"Bad-Name": "x"}), "events/0/Bad-Name"),
        (sent("a", extensions={f"e{n}": "" for n in range(33)}), "events/0/extensions"),
        (sent("a", data=b"{"), "events/0/data"),
        (sent("a", data=b"[" * 9_000), "events/0/data"),
        (sent("a", data=b" " * (1024 * 1024 + 1)), "events/0/data"),
        (sent("a", time=Timestamp(seconds=10**15)), "time"),
    ],
)
async def test_what_is_no_cloud_event_is_refused(
    suite: World, ada: User, event: CloudEvent, field: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        await ada.send(event)
    assert [problem.field for problem in refusal.value.details] == [field]
    assert not [heard for heard in suite.heard if heard.source == "/sensor"]


async def test_a_batch_may_be_empty(ada: User) -> None:
    assert await ada.send() == 0
