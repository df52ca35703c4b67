"""What every bus must do, run against every adapter."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import msgspec
import pytest

from chassis.errors import Invalid, Unavailable
from chassis.messaging.port import Bus, CloudEvent
from tests.contract.chassis.adapters import BUSES
from tests.support.time import eventually


@pytest.fixture(params=BUSES)
async def bus(request: pytest.FixtureRequest) -> AsyncIterator[Bus]:
    async with BUSES[request.param]() as bus:
        yield bus


class Inbox:
    """A handler that keeps what it got, and fails as often as it is told."""

    def __init__(self, *failures: Exception) -> None:
        self.ids: list[str] = []
        self.events: list[CloudEvent] = []
        self._failures = list(failures)

    async def __call__(self, event: CloudEvent) -> None:
        if self._failures:
            raise self._failures.pop(0)
        self.ids.append(event.id)
        self.events.append(event)

    async def has(self, *ids: str) -> None:
        await eventually(lambda: self.ids == list(ids))


def event(id: str, type: str = "test.happened.v1") -> CloudEvent:
    return CloudEvent(
        id=id,
        source="/test",
        type=type,
        time=datetime(2026, 1, 15, 10, 30, tzinfo=UTC),
        data=msgspec.Raw(b'{"a": [1, 2]}'),
        extensions={"tenant": "default"},
    )


async def test_a_subscriber_gets_an_event_as_it_was_published(bus: Bus) -> None:
    inbox = Inbox()
    bus.subscribe("inbox", ["test.happened.v1"], inbox)
    await bus.publish([event("1")])
    await inbox.has("1")
    assert inbox.events == [event("1")]


async def test_events_arrive_in_order(bus: Bus) -> None:
    inbox = Inbox()
    bus.subscribe("inbox", ["test.*"], inbox)
    await bus.publish([event("1"), event("2")])
    await bus.publish([event("3"), event("4")])
    await inbox.has("1", "2", "3", "4")


async def test_every_subscription_gets_its_own_copy(bus: Bus) -> None:
    one, other = Inbox(), Inbox()
    bus.subscribe("one", ["test.*"], one)
    bus.subscribe("other", ["test.happened.v1"], other)
    await bus.publish([event("1")])
    await one.has("1")
    await other.has("1")


async def test_types_are_exact_or_beginnings(bus: Bus) -> None:
    exact, beginning, everything = Inbox(), Inbox(), Inbox()
    bus.subscribe("exact", ["a.b"], exact)
    bus.subscribe("beginning", ["a.b*", "x"], beginning)
    bus.subscribe("everything", ["*"], everything)
    await bus.publish([event("1", "a.b"), event("2", "a.b.c"), event("3", "x"), event("4", "y")])
    await everything.has("1", "2", "3", "4")
    await exact.has("1")
    await beginning.has("1", "2", "3")


async def test_an_event_that_several_patterns_match_comes_once(bus: Bus) -> None:
    inbox = Inbox()
    bus.subscribe("inbox", ["a.*", "a.b", "*"], inbox)
    await bus.publish([event("1", "a.b"), event("2", "z")])
    await inbox.has("1", "2")


async def test_events_that_nobody_wants_may_be_published(bus: Bus) -> None:
    await bus.publish([event("1")])
    await bus.publish([])


async def test_a_handler_that_is_unavailable_is_asked_again_until_it_is_back(bus: Bus) -> None:
    inbox = Inbox(*[Unavailable("not now", retry_after=0.001) for _ in range(8)])
    bus.subscribe("inbox", ["*"], inbox)
    await bus.publish([event("1"), event("2")])
    await inbox.has("1", "2")


async def test_a_handler_that_fails_for_unknown_reasons_is_asked_again(bus: Bus) -> None:
    inbox = Inbox(RuntimeError("a bug"))
    bus.subscribe("inbox", ["*"], inbox)
    await bus.publish([event("1")])
    await inbox.has("1")


async def test_an_event_that_is_wrong_is_given_up_and_the_next_one_comes(bus: Bus) -> None:
    inbox = Inbox(Invalid("cannot be"))
    bus.subscribe("inbox", ["*"], inbox)
    await bus.publish([event("1"), event("2")])
    await inbox.has("2")


async def test_an_event_that_always_fails_does_not_stop_the_next_one(bus: Bus) -> None:
    inbox = Inbox(*[RuntimeError("a bug") for _ in range(3)])
    bus.subscribe("inbox", ["*"], inbox)
    await bus.publish([event("1"), event("2")])
    await inbox.has("2")


async def test_a_subscription_that_fails_does_not_delay_another(bus: Bus) -> None:
    stuck, reached = asyncio.Event(), Inbox()

    async def wait(_: CloudEvent) -> None:
        await stuck.wait()

    bus.subscribe("stuck", ["*"], wait)
    bus.subscribe("reached", ["*"], reached)
    publishing = asyncio.create_task(bus.publish([event("1"), event("2")]))
    await reached.has("1", "2")
    stuck.set()
    await publishing


async def test_a_handler_is_never_run_beside_itself(bus: Bus) -> None:
    running, most = 0, 0
    done: list[str] = []

    async def handle(event: CloudEvent) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        done.append(event.id)

    bus.subscribe("inbox", ["*"], handle)
    await asyncio.gather(*(bus.publish([event(f"{n}")]) for n in range(10)))
    await eventually(lambda: len(done) == 10)
    assert most == 1


async def test_a_name_is_taken_once(bus: Bus) -> None:
    bus.subscribe("inbox", ["*"], Inbox())
    with pytest.raises(ValueError, match="inbox"):
        bus.subscribe("inbox", ["x"], Inbox())


async def test_a_handler_that_may_have_several_begins_them_in_order_and_at_most_so_many(
    bus: Bus,
) -> None:
    begun: list[str] = []
    done: list[str] = []
    go = asyncio.Event()

    async def handle(event: CloudEvent) -> None:
        begun.append(event.id)
        await go.wait()
        done.append(event.id)

    bus.subscribe("inbox", ["*"], handle, at_once=3)
    publishing = asyncio.create_task(bus.publish([event(f"{n}") for n in range(8)]))
    await eventually(lambda: len(begun) == 3)
    assert done == []
    go.set()
    await publishing
    await eventually(lambda: len(done) == 8)
    assert begun == [f"{n}" for n in range(8)]


async def test_of_several_events_at_once_one_that_is_given_up_leaves_the_others_alone(
    bus: Bus,
) -> None:
    inbox = Inbox(Invalid("no"), Unavailable("later"))
    bus.subscribe("inbox", ["*"], inbox, at_once=3)
    await bus.publish([event(f"{n}") for n in range(3)])
    await eventually(lambda: sorted(inbox.ids) == ["1", "2"])
