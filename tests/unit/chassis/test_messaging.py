import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
import pytest

from chassis.errors import Invalid, Unavailable
from chassis.messaging.memory import MemoryBus
from chassis.messaging.port import CloudEvent
from chassis.messaging.relay import Relay
from chassis.messaging.retry import Backoff
from tests.support.time import eventually

QUICK = Backoff(first=0.001, longest=0.002, attempts=2)


def event(id: str) -> CloudEvent:
    return CloudEvent(id=id, source="/t", type="t", time=datetime(2026, 1, 15, tzinfo=UTC))


class Log:
    """A log in memory; `broken` failures come before it works again."""

    def __init__(self, *ids: str) -> None:
        self.entries = [(position, event(id)) for position, id in enumerate(ids, start=1)]
        self.checkpoints: dict[str, int] = {}
        self.broken = 0
        self._more = asyncio.Event()

    def append(self, id: str) -> None:
        self.entries.append((len(self.entries) + 1, event(id)))
        self._more.set()

    async def read_log(self, after: int, limit: int) -> Sequence[tuple[int, CloudEvent]]:
        if self.broken:
            self.broken -= 1
            raise Unavailable("the store is away")
        return [entry for entry in self.entries if entry[0] > after][:limit]

    async def load_checkpoint(self, name: str) -> int:
        return self.checkpoints.get(name, 0)

    async def save_checkpoint(self, name: str, position: int) -> None:
        self.checkpoints[name] = position

    async def wait_for_log(self, after: int) -> None:
        await self._more.wait()
        self._more.clear()


class Running:
    """A relay under way, and what came out of the bus."""

    def __init__(self, log: Log, *, batch: int = 2, linger: float = 0.0) -> None:
        self.got: list[str] = []
        self.bus = MemoryBus(QUICK)
        self.bus.subscribe("got", ["*"], self._take)
        relay = Relay(log, self.bus, batch=batch, backoff=QUICK, linger=linger)
        self._task = asyncio.create_task(relay.run())

    async def _take(self, event: CloudEvent) -> None:
        self.got.append(event.id)

    async def stop(self) -> None:
        self._task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await self._task


async def test_a_relay_publishes_the_log_in_order_and_remembers_how_far_it_came() -> None:
    log = Log("a", "b", "c")
    running = Running(log)
    await eventually(lambda: log.checkpoints.get("relay") == 3)
    log.append("d")
    await eventually(lambda: log.checkpoints["relay"] == 4)
    await running.stop()
    assert running.got == ["a", "b", "c", "d"]


async def test_after_a_round_that_was_not_full_a_relay_lets_the_next_one_grow() -> None:
    log = Log("a", "b", "c")
    running = Running(log, batch=2, linger=3_600)
    await eventually(lambda: log.checkpoints.get("relay") == 3)
    log.append("d")
    for _ in range(20):
        await asyncio.sleep(0)
    assert running.got == ["a", "b", "c"]
    await running.stop()


async def test_a_relay_goes_on_from_its_checkpoint() -> None:
    log = Log("a", "b", "c")
    log.checkpoints["relay"] = 2
    running = Running(log)
    await eventually(lambda: running.got == ["c"])
    await running.stop()


async def test_what_was_published_but_not_remembered_is_published_again() -> None:
    log = Log("a", "b")
    running = Running(log)
    await eventually(lambda: log.checkpoints.get("relay") == 2)
    await running.stop()
    log.checkpoints["relay"] = 1
    again = Running(log)
    await eventually(lambda: again.got == ["b"])
    await again.stop()


async def test_the_checkpoint_stays_while_the_event_is_not_handled() -> None:
    log, release = Log("a"), asyncio.Event()
    running = Running(log)

    async def wait(_: CloudEvent) -> None:
        await release.wait()

    running.bus.subscribe("slow", ["*"], wait)
    await eventually(lambda: running.got == ["a"])
    assert log.checkpoints == {}
    release.set()
    await eventually(lambda: log.checkpoints == {"relay": 1})
    await running.stop()


async def test_a_relay_waits_out_a_store_that_is_away() -> None:
    log = Log("a")
    log.broken = 3
    running = Running(log)
    await eventually(lambda: running.got == ["a"])
    await running.stop()


async def test_dead_letters_are_kept_with_their_reason() -> None:
    bus = MemoryBus(QUICK)

    async def refuse(_: CloudEvent) -> None:
        raise Invalid("no such field")

    bus.subscribe("strict", ["*"], refuse)
    await bus.publish([event("1")])
    (letter,) = bus.dead_letters
    assert (letter.subscription, letter.event.id, letter.reason) == ("strict", "1", "no such field")


async def test_a_bus_knows_whether_anybody_listens() -> None:
    bus = MemoryBus()
    assert not bus.has_subscribers("a.b")
    bus.subscribe("x", ["a.*"], lambda event: asyncio.sleep(0))
    assert bus.has_subscribers("a.b")
    assert not bus.has_subscribers("b")


async def test_publishing_returns_once_every_subscription_has_handled_the_event() -> None:
    bus, release = MemoryBus(QUICK), asyncio.Event()

    async def wait(_: CloudEvent) -> None:
        await release.wait()

    bus.subscribe("slow", ["*"], wait)
    publishing = asyncio.create_task(bus.publish([event("1")]))
    await asyncio.sleep(0)
    assert not publishing.done()
    release.set()
    await publishing


class Together:
    """A handler that takes several at once, and keeps what each call brought."""

    def __init__(self, *refused: str) -> None:
        self.calls: list[list[str]] = []
        self._refused = refused

    async def __call__(self, event: CloudEvent) -> None:
        await self.together([event])

    async def together(self, events: Sequence[CloudEvent]) -> None:
        ids = [event.id for event in events]
        if any(id in self._refused for id in ids):
            raise Invalid("no such field")
        self.calls.append(ids)


async def test_who_takes_several_at_once_is_called_once_for_them() -> None:
    bus, handler = MemoryBus(QUICK), Together()
    bus.subscribe("together", ["*"], handler, at_once=2)
    await bus.publish([event(id) for id in "abc"])
    assert handler.calls == [["a", "b"], ["c"]]


async def test_one_that_is_wrong_among_several_is_given_up_alone() -> None:
    bus, handler = MemoryBus(QUICK), Together("b")
    bus.subscribe("together", ["*"], handler, at_once=10)
    await bus.publish([event(id) for id in "abc"])
    assert handler.calls == [["a"], ["c"]]
    assert [letter.event.id for letter in bus.dead_letters] == ["b"]


async def test_a_stopped_bus_takes_nothing() -> None:
    async with MemoryBus() as bus:
        pass
    with pytest.raises(Unavailable):
        await bus.publish([event("1")])


def test_pauses_grow_to_the_longest_and_vary() -> None:
    backoff = Backoff(first=1.0, longest=8.0)
    for attempt, full in [(1, 1), (2, 2), (3, 4), (4, 8), (5, 8), (10_000, 8)]:
        assert full / 2 <= backoff.pause(attempt) <= full


def test_an_event_survives_being_written_down() -> None:
    told = CloudEvent(
        id="1",
        source="/t",
        type="t",
        time=datetime(2026, 1, 15, tzinfo=UTC),
        data=msgspec.Raw(b'{"a":1}'),
        subject="s",
        extensions={"tenant": "default"},
    )
    assert msgspec.json.decode(msgspec.json.encode(told), type=CloudEvent) == told
