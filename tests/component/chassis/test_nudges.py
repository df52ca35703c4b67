"""Hints from process to process: soon, gathered, and believed only under the seal."""

from collections.abc import AsyncIterator

import pytest
from aiormq import spec

from tests.support.broker import Broker, broker
from tests.support.time import eventually


@pytest.fixture
async def place() -> AsyncIterator[Broker]:
    async with broker() as place:
        yield place


async def test_the_others_hear_a_nudge_and_whoever_gave_it_does_not(place: Broker) -> None:
    heard: list[tuple[str, str]] = []
    async with place.bus() as one, place.bus() as other, place.bus() as third:
        for name, bus in (("one", one), ("other", other)):
            bus.on_nudge("log", lambda subject, name=name: heard.append((name, subject)))  # type: ignore[misc]
            await bus.usable()
        third.on_nudge("something else", lambda subject: heard.append(("third", subject)))
        await third.usable()
        for _ in range(3):
            one.nudge("log", "a")
        await eventually(lambda: ("other", "a") in heard)
        other.nudge("log", "b")
        await eventually(lambda: ("one", "b") in heard)
    assert heard == [("other", "a"), ("one", "b")]


async def test_nudges_come_again_after_the_connection_broke(place: Broker) -> None:
    heard: list[str] = []
    async with place.bus() as one, place.bus() as other:
        for bus in (one, other):
            bus.on_nudge("log", heard.append)
            await bus.usable()
        async with place.channel() as channel:
            await channel.exchange_delete(place.names.nudges)
        one.nudge("log", "lost")

        async def tried() -> bool:
            one.nudge("log", "found")
            return "found" in heard

        await eventually(tried)


async def test_a_forged_nudge_is_not_heard(place: Broker) -> None:
    heard: list[str] = []
    async with place.bus() as one, place.bus() as other, place.channel() as channel:
        for bus in (one, other):
            bus.on_nudge("log", heard.append)
            await bus.usable()
        await channel.basic_publish(
            b'{"origin": "x", "subjects": ["forged"]}',
            exchange=place.names.nudges,
            routing_key="log",
            properties=spec.Basic.Properties(headers={"autoworker_seal": "1 workflow 1 k1 00"}),
        )
        one.nudge("log", "honest")
        await eventually(lambda: bool(heard))
    assert heard == ["honest"]


async def test_nudging_without_a_broker_does_nothing(place: Broker) -> None:
    async with place.bus(url="amqp://guest:guest@127.0.0.1:1/", patience=0.05) as bus:
        bus.on_nudge("log", lambda _: None)
        for n in range(20_000):
            bus.nudge("log", str(n))
