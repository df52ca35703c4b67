"""What every intake must do: one order, each event once, and subscriptions that have their place in that order."""

from __future__ import annotations

from typing import Any

import msgspec

from tests.contract.workflow_service.adapters import Stores, append
from tests.support.executions import at, beginning, completing, following
from workflow_service.application.event_ports import Waiting
from workflow_service.application.ports import Commit, InboundEvent
from workflow_service.domain.events import FilterPlace
from workflow_service.domain.execution.events import EventEmitted
from workflow_service.domain.execution.listening import (
    ALL_REMOVED,
    Shape,
    Subscribed,
    Subscription,
    SubscriptionChange,
)
from workflow_service.domain.expressions import JsonValue

SHAPE = Shape("sha256:abc", "/do/0/l", FilterPlace("to", 0))
OTHER = Shape("sha256:abc", "/do/1/l", FilterPlace("until", 3))


def sent(name: str, **changes: Any) -> InboundEvent:
    members: dict[str, Any] = {
        "tenant": "default",
        "sender": "ada",
        "id": name,
        "source": "/s",
        "type": "a",
    }
    return InboundEvent(**members | changes)


def emitting(*names: str) -> list[EventEmitted]:
    return [
        EventEmitted("/do/0/e", event={"id": name, "source": "/s", "type": "a", "data": {"n": 1}})
        for name in names
    ]


def subscription(**changes: Any) -> Subscription:
    return msgspec.structs.replace(Subscription("f", 1, SHAPE, "a", ""), **changes)


def adding(commit: Commit, *found: Subscription, emitted_before: int = 0) -> Commit:
    added = tuple(Subscribed(each, emitted_before) for each in found)
    return msgspec.structs.replace(commit, subscriptions=SubscriptionChange(added=added))


async def ids(stores: Stores, after: int = 0) -> list[str]:
    return [each.event.text("id") for each in await stores.intake.read(after, 100)]


async def heard_by(
    stores: Stores,
    *,
    key: str = "",
    position: int = 10**6,
    tenant: str = "default",
    shape: Shape = SHAPE,
) -> list[str]:
    found = await stores.subscriptions.waiting(tenant, "a", shape, key, position, None, 100)
    return [each.execution for each in found]


async def test_events_from_outside_and_from_tasks_stand_in_one_order(stores: Stores) -> None:
    await stores.inbound.add([sent("a"), sent("b")], at(0))
    await append(stores, beginning("e1", *emitting("c")))
    await stores.inbound.add([sent("d")], at(0))

    arrived = await stores.intake.read(0, 100)

    assert [each.event.text("id") for each in arrived] == ["a", "b", "c", "d"]
    positions = [each.event.position for each in arrived]
    assert positions == sorted(set(positions))
    assert await ids(stores, positions[1]) == ["c", "d"]
    assert arrived[2].event.data == {"n": 1}


async def test_each_tenants_events_can_be_read_by_themselves(stores: Stores) -> None:
    await stores.inbound.add([sent("a"), sent("b", tenant="other"), sent("c")], at(0))

    assert [tenant for _, tenant in await stores.intake.owners(0, 9)] == [
        "default",
        "other",
        "default",
    ]
    (first, _), *_ = await stores.intake.owners(0, 9)
    mine = await stores.intake.read(0, 9, "default")
    assert [each.event.text("id") for each in mine] == ["a", "c"]
    assert [each.event.text("id") for each in await stores.intake.read(first, 9, "default")] == [
        "c"
    ]


async def test_an_event_is_there_once_whoever_sends_it(stores: Stores) -> None:
    await stores.inbound.add([sent("a")], at(0))
    await append(stores, first := beginning("e1", *emitting("a", "b")))
    await append(stores, following(first, *emitting("b")))

    assert await stores.inbound.add([sent("b"), sent("a", tenant="other")], at(1)) == 1
    assert await ids(stores) == ["a", "b", "a"]


async def test_what_only_the_engine_may_announce_does_not_come_from_tasks(stores: Stores) -> None:
    forged: dict[str, JsonValue] = {
        "id": "x",
        "source": "/s",
        "type": "io.serverlessworkflow.workflow.started.v1",
    }
    await append(stores, beginning("e1", EventEmitted("/do/0/e", event=forged), *emitting("b")))

    assert await ids(stores) == ["b"]


async def test_an_event_is_read_as_it_came(stores: Stores) -> None:
    full = sent("a", subject="s", time=at(-5), data=b'{"n": 1.50}', extensions={"room": "3"})
    binary = sent("b", datacontenttype="image/png", data=b"\x89PNG")
    text = sent("c", datacontenttype="text/plain", data=b"hello")
    await stores.inbound.add([full, binary, text], at(7))

    first, second, third = [each.event for each in await stores.intake.read(0, 10)]

    assert first.envelope == {
        "specversion": "1.0", "id": "a", "source": "/s", "type": "a", "subject": "s",
        "time": "2026-01-15T10:29:55.000Z", "room": "3", "data": {"n": 1.5},
    }  # fmt: skip
    assert (first.raw, second.attribute("time")) == ('{"n": 1.50}', "2026-01-15T10:30:07.000Z")
    assert (second.data, second.envelope["data_base64"]) == ("iVBORw==", "iVBORw==")
    assert (third.data, third.raw) == ("hello", "hello")


async def test_text_that_a_task_emits_is_read_as_text(stores: Stores) -> None:
    plain: dict[str, JsonValue] = {"id": "x", "source": "/s", "type": "a", "data": "hello"}
    await append(
        stores,
        beginning(
            "e1",
            EventEmitted("/do/0/e", event=plain | {"datacontenttype": "text/plain"}),
            EventEmitted("/do/0/e", event=plain | {"id": "y"}),
        ),
    )

    text, json = [each.event for each in await stores.intake.read(0, 10)]

    assert (text.data, text.raw) == ("hello", "hello")
    assert (json.data, json.raw) == ("hello", '"hello"')


async def test_a_reader_keeps_its_place_and_what_all_have_passed_is_gone(stores: Stores) -> None:
    await stores.inbound.add([sent("a"), sent("b"), sent("c")], at(0))
    assert (
        await stores.intake.load_checkpoint("one")
        < (await stores.intake.read(0, 1))[0].event.position
    )
    await stores.intake.load_checkpoint("two")
    first, second, _ = [each.event.position for each in await stores.intake.read(0, 10)]

    await stores.intake.save_checkpoint("one", second)
    assert await ids(stores) == ["a", "b", "c"]
    await stores.intake.save_checkpoint("two", first)

    assert await ids(stores) == ["b", "c"]
    assert await stores.intake.load_checkpoint("one") == second
    assert await stores.inbound.add([sent("a")], at(1)) == 0


async def test_who_waits_is_found_by_type_shape_and_key(stores: Stores) -> None:
    await append(
        stores,
        adding(beginning("e1"), subscription(key="k1")),
        adding(beginning("e2"), subscription(key="k2")),
        adding(beginning("e3"), subscription()),
        adding(beginning("e4"), subscription(type="", shape=OTHER)),
        adding(beginning("e5", tenant="other"), subscription(key="k1")),
    )

    assert list(await stores.subscriptions.shapes("default", "a")) == [SHAPE, OTHER]
    assert list(await stores.subscriptions.shapes("default", "b")) == [OTHER]
    assert not await stores.subscriptions.shapes("nobody", "a")
    assert await heard_by(stores, key="k1") == ["e1", "e3"]
    assert await heard_by(stores) == ["e3"]
    assert await heard_by(stores, shape=OTHER) == ["e4"]
    assert await heard_by(stores, key="k1", tenant="other") == ["e5"]
    assert await stores.subscriptions.count("default", 3) == 3
    assert await stores.subscriptions.count("default", 100) == 4


async def test_who_waits_comes_in_pages(stores: Stores) -> None:
    await append(stores, *(adding(beginning(f"e{n}"), subscription()) for n in range(5)))

    page = await stores.subscriptions.waiting("default", "a", SHAPE, "", 9, None, 3)
    rest = await stores.subscriptions.waiting("default", "a", SHAPE, "", 9, page[-1], 3)

    assert [each.execution for each in (*page, *rest)] == ["e0", "e1", "e2", "e3", "e4"]
    assert page[0] == Waiting("e0", "f", 1)


async def test_only_what_comes_after_a_subscription_is_for_it(stores: Stores) -> None:
    await stores.inbound.add([sent("before")], at(0))
    await append(stores, adding(beginning("e1"), subscription()))
    await stores.inbound.add([sent("after")], at(0))
    before, after = [each.event.position for each in await stores.intake.read(0, 10)]

    assert await heard_by(stores, position=before) == []
    assert await heard_by(stores, position=after) == ["e1"]


async def test_a_subscription_has_its_place_among_what_its_own_commit_emits(stores: Stores) -> None:
    commit = beginning("e1", *emitting("a", "b", "c"))
    await append(stores, adding(commit, subscription(), emitted_before=2))
    a, b, c = [each.event.position for each in await stores.intake.read(0, 10)]

    assert [await heard_by(stores, position=each) for each in (a, b, c)] == [[], [], ["e1"]]


async def test_a_subscription_moves_and_ends_with_the_commits_of_its_execution(
    stores: Stores,
) -> None:
    first = adding(beginning("e1"), subscription(), subscription(shape=OTHER))
    moved = SubscriptionChange(moved=(subscription(key="k"),), removed=(subscription(shape=OTHER),))
    await append(stores, first, second := following(first, subscriptions=moved))

    assert await heard_by(stores) == []
    assert await heard_by(stores, key="k") == ["e1"]
    assert await heard_by(stores, shape=OTHER) == []
    again = SubscriptionChange(
        added=(Subscribed(subscription(number=2), 0),), removed=(subscription(key="k"),)
    )
    await append(stores, third := following(second, subscriptions=again))
    found = await stores.subscriptions.waiting("default", "a", SHAPE, "", 9, None, 9)
    assert [each.number for each in found] == [2]
    ended = msgspec.structs.replace(completing(third), subscriptions=ALL_REMOVED)
    await append(stores, ended)
    assert await stores.subscriptions.count("default", 9) == 0


async def test_the_reconciler_is_told_who_rests_because_it_listens(stores: Stores) -> None:
    waiting = beginning("e1", status="waiting")
    await append(
        stores,
        msgspec.structs.replace(adding(waiting, subscription()), busy=False),
        msgspec.structs.replace(beginning("e2", status="waiting"), busy=False),
    )

    found = await stores.events.open_executions(None, 10)

    assert [(each.execution, each.listening) for each in found] == [("e1", True), ("e2", False)]


async def test_one_commit_may_emit_more_than_a_document_of_the_store_takes(stores: Stores) -> None:
    told: list[JsonValue] = [
        {"id": f"{number}", "source": "/s", "type": "a", "data": "x" * 3_000_000}
        for number in range(4)
    ]
    events = [EventEmitted("/do/0/e", event=each) for each in told if isinstance(each, dict)]
    await append(stores, beginning("e1", *events))
    await append(stores, beginning("e2"))

    assert len(await stores.intake.owners(0, 10)) == 4
    last = (await stores.intake.read(3, 10))[0].event
    assert (last.text("id"), last.data) == ("3", "x" * 3_000_000)
