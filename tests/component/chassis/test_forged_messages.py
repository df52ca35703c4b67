"""Whoever reaches the broker, but has no key of the bus, changes nothing: attack 24 of the threat model."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from aiormq import spec
from aiormq.abc import AbstractChannel, DeliveredMessage
from pamqp.common import FieldTable

from chassis.crypto.key_file import WrappingKeys
from chassis.messaging.port import CloudEvent
from chassis.messaging.rabbitmq.bus import RabbitBus
from chassis.messaging.rabbitmq.envelope import OLDEST_DAYS, Seals
from chassis.messaging.rabbitmq.topology import Names
from tests.support.broker import KEYS, Broker, Graveyard, Heard, broker, event
from tests.support.time import ManualClock, eventually

TYPE = "test.happened.v1"


@dataclass
class Attacked:
    """A consumer, and somebody beside it at the broker."""

    place: Broker
    bus: RabbitBus
    channel: AbstractChannel
    heard: Heard
    graveyard: Graveyard

    @property
    def names(self) -> Names:
        return self.place.names

    async def send(
        self, properties: spec.Basic.Properties, body: bytes, routing_key: str = TYPE
    ) -> None:
        await self.channel.basic_publish(
            body,
            exchange=self.names.events,
            routing_key=routing_key,
            properties=properties,
            mandatory=True,
        )

    async def overheard(self, told: CloudEvent) -> DeliveredMessage:
        """A message of ours, as somebody sees it who listens in."""
        declared = await self.channel.queue_declare(exclusive=True)
        await self.channel.queue_bind(declared.queue or "", self.names.events, "#")
        await self.bus.publish([told])
        message = await self.channel.basic_get(declared.queue or "", no_ack=True)
        assert message.body is not None
        return message

    async def nothing_happened(self, count: int, reason: str) -> None:
        letters = await self.graveyard.has(count)
        assert all(reason in letter.reason and not letter.trusted for letter in letters)
        # What is well-meant still comes through, and nothing came before it.
        await self.bus.publish([event("honest")])
        await eventually(lambda: "honest" in self.heard.ids)
        assert self.heard.ids in (["honest"], ["1", "honest"])


@pytest.fixture
async def attacked() -> AsyncIterator[Attacked]:
    async with (
        broker("inbox") as place,
        place.bus() as bus,
        place.channel() as channel,
    ):
        heard, graveyard = Heard(), Graveyard(bus)
        bus.subscribe("inbox", [TYPE], heard)
        await bus.usable()
        yield Attacked(place, bus, channel, heard, graveyard)


async def test_a_message_without_a_seal_is_refused(attacked: Attacked) -> None:
    headers: FieldTable = {
        "cloudEvents_id": "x",
        "cloudEvents_type": TYPE,
        "cloudEvents_specversion": "1.0",
    }
    await attacked.send(spec.Basic.Properties(headers=headers), b"{}")
    await attacked.send(spec.Basic.Properties(), b"\x00 not even JSON")
    await attacked.nothing_happened(2, "schema")


async def test_a_message_under_another_key_is_refused(attacked: Attacked) -> None:
    stranger = Seals("workflow", WrappingKeys("k1", {"k1": b"x" * 32}), ManualClock())
    await attacked.send(*stranger.sealed(event("forged")))
    unknown = Seals("workflow", WrappingKeys("k9", {"k9": b"k" * 32}), ManualClock())
    await attacked.send(*unknown.sealed(event("forged")))
    letters = await attacked.graveyard.has(2)
    assert ["seal does not fit" in letters[0].reason, "known here" in letters[1].reason] == [
        True,
        True,
    ]
    await attacked.nothing_happened(2, "")


Alter = Callable[[spec.Basic.Properties, bytes], tuple[spec.Basic.Properties, bytes]]


def header(name: str, text: str) -> Alter:
    def alter(
        properties: spec.Basic.Properties, body: bytes
    ) -> tuple[spec.Basic.Properties, bytes]:
        headers = dict(properties.headers or {}) | {name: text}
        return spec.Basic.Properties(
            content_type=properties.content_type, headers=headers, message_id="m"
        ), body

    return alter


def sealed(part: int, text: str) -> Alter:
    def alter(
        properties: spec.Basic.Properties, body: bytes
    ) -> tuple[spec.Basic.Properties, bytes]:
        parts = str((properties.headers or {})["autoworker_seal"]).split(" ")
        parts[part] = text
        return header("autoworker_seal", " ".join(parts))(properties, body)

    return alter


@pytest.mark.parametrize(
    "alter",
    [
        pytest.param(header("cloudEvents_tenant", "victim"), id="tenant"),
        pytest.param(header("cloudEvents_id", "another"), id="id"),
        pytest.param(header("cloudEvents_owner", "added"), id="added attribute"),
        pytest.param(sealed(1, "auth"), id="producer"),
        pytest.param(sealed(2, "1"), id="sequence"),
        pytest.param(lambda properties, _: (properties, b'{"amount": 1000000}'), id="data"),
    ],
)
async def test_a_message_that_was_altered_is_refused(attacked: Attacked, alter: Alter) -> None:
    told = msgspec.structs.replace(event("1"), extensions={"tenant": "a"})
    seen = await attacked.overheard(told)
    await attacked.heard.has("1")
    await attacked.send(*alter(seen.header.properties, seen.body))
    await attacked.nothing_happened(1, "seal does not fit")


async def test_a_message_that_is_sent_on_as_another_type_is_refused(attacked: Attacked) -> None:
    seals = Seals("test", KEYS, ManualClock(datetime.now(UTC)))
    await attacked.send(*seals.sealed(event("harmless", type="test.other.v1")))
    await attacked.nothing_happened(1, "routing key")


async def test_a_message_that_is_sent_again_is_recognised_by_its_id(attacked: Attacked) -> None:
    seen = await attacked.overheard(event("1"))
    for _ in range(3):
        await attacked.send(seen.header.properties, seen.body)
    await eventually(lambda: attacked.heard.times == 4)
    assert attacked.heard.ids == ["1"]


async def test_a_message_from_long_ago_is_refused(attacked: Attacked) -> None:
    then = datetime.now(UTC) - timedelta(days=OLDEST_DAYS + 1)
    await attacked.send(*Seals("test", KEYS, ManualClock(then)).sealed(event("old")))
    await attacked.nothing_happened(1, "days ago")


async def test_a_message_that_is_too_large_is_refused_unread(attacked: Attacked) -> None:
    seals = Seals("test", KEYS, ManualClock(datetime.now(UTC)))
    await attacked.send(*seals.sealed(event("large", data=b'"' + b"x" * 100_000 + b'"')))
    await attacked.nothing_happened(1, "bytes")


async def test_a_dead_letter_that_was_forged_is_marked_as_such(attacked: Attacked) -> None:
    await attacked.channel.basic_publish(
        b'{"subscription": "inbox"}',
        exchange=attacked.names.dead,
        routing_key="inbox",
        properties=spec.Basic.Properties(headers={"cloudEvents_type": TYPE}),
    )
    await attacked.nothing_happened(1, "schema")


async def test_poison_among_good_messages_ends_as_dead_letters_and_delays_nobody(
    attacked: Attacked,
) -> None:
    for n in range(200):
        await attacked.bus.publish([event(f"good-{n}")])
        if n % 10 == 0:
            await attacked.send(spec.Basic.Properties(headers={"n": n}), b"\xff" * n)
    await eventually(lambda: len(attacked.heard.ids) == 200)
    assert attacked.heard.ids == [f"good-{n}" for n in range(200)]
    assert len(await attacked.graveyard.has(20)) == 20
