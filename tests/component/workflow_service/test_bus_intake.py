"""Events that others publish on the bus come into the intake."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import msgspec
import pytest

from chassis.errors import Invalid
from chassis.messaging.memory import MemoryBus
from chassis.messaging.port import CloudEvent, Handler
from chassis.storage.sqlite import SqliteDatabase
from tests.contract.workflow_service.adapters import Stores, sqlite_stores
from tests.support.executions import at
from tests.support.time import ManualClock
from workflow_service.adapters.sqlite.schema import MIGRATIONS
from workflow_service.entrypoints import bus_intake


class Line:
    """A bus that hands over by hand what comes on it."""

    def __init__(self) -> None:
        self.handlers: dict[str, tuple[Sequence[str], Handler]] = {}

    def subscribe(
        self,
        name: str,
        types: Sequence[str],
        handler: Handler,
        *,
        at_once: int = 1,
        outside: bool = False,
    ) -> None:
        # What identity tells is from within; all the rest may be from anybody.
        assert outside is (name == bus_intake.CONSUMER)
        self.handlers[name] = (types, handler)

    async def comes(self, event: CloudEvent) -> None:
        _, handler = self.handlers[bus_intake.CONSUMER]
        await handler(event)


@asynccontextmanager
async def store() -> AsyncIterator[Stores]:
    async with await SqliteDatabase.open(None, migrations=MIGRATIONS) as database:
        yield sqlite_stores(database, "first", ManualClock())


@pytest.fixture
async def stores() -> AsyncIterator[Stores]:
    async with store() as opened:
        yield opened


@pytest.fixture
def line(stores: Stores) -> Line:
    line = Line()
    bus_intake.subscribe(line, stores.inbound, stores.clock)  # type: ignore[arg-type]  # what it is asked for
    return line


def event(name: str = "a", **more: object) -> CloudEvent:
    members = {"id": name, "source": "/mill", "type": "mill.ground", "time": at(0)}
    return CloudEvent(**members | more)  # type: ignore[arg-type]


async def heard(stores: Stores) -> list[tuple[str, str, object]]:
    arrived = await stores.intake.read(0, 10)
    return [(each.tenant, each.event.text("id"), each.event.attribute("data")) for each in arrived]


async def test_it_is_heard_once_by_the_tenant_that_it_names(stores: Stores, line: Line) -> None:
    named = event(data=msgspec.Raw(b'{"bags": 3}'), extensions={"tenant": "mills", "sort": "rye"})
    for each in (named, named, event("b")):
        await line.comes(each)

    assert await heard(stores) == [("mills", "a", {"bags": 3}), ("default", "b", None)]
    (first, _) = await stores.intake.read(0, 10)
    assert first.event.attribute("sort") == "rye"
    assert first.event.attribute("tenant") is None


async def test_it_is_not_published_again(stores: Stores, line: Line) -> None:
    await line.comes(event())

    assert not await stores.log.read_log(0, 10)
    assert len(await stores.intake.read(0, 10)) == 1


async def test_the_engines_own_events_are_not_for_listeners(stores: Stores, line: Line) -> None:
    await line.comes(event(type="io.serverlessworkflow.workflow.completed.v1"))
    await line.comes(event("b"))

    assert [name for _, name, _ in await heard(stores)] == ["b"]


async def test_what_is_too_large_is_given_up(stores: Stores, line: Line) -> None:
    with pytest.raises(Invalid):
        await line.comes(event(data=msgspec.Raw(b'"' + b"x" * 2**20 + b'"')))

    assert not await heard(stores)


async def test_within_one_process_nothing_more_is_published_for_it(stores: Stores) -> None:
    bus = MemoryBus()

    bus_intake.subscribe(bus, stores.inbound, stores.clock)

    assert not bus.has_subscribers("mill.ground")
