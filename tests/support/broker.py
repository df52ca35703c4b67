"""Buses on a real RabbitMQ, under a prefix of their own that is deleted afterwards."""

import contextlib
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import aiormq
import msgspec
from aiormq.abc import AbstractChannel

from chassis.clock import Clock, SystemClock
from chassis.crypto.key_file import WrappingKeys
from chassis.messaging.port import CloudEvent, DeadLetter
from chassis.messaging.rabbitmq.bus import RabbitBus
from chassis.messaging.rabbitmq.envelope import Seals
from chassis.messaging.rabbitmq.settings import RabbitSettings
from chassis.messaging.rabbitmq.topology import Names
from chassis.messaging.retry import Backoff
from tests.support.servers import amqp_url
from tests.support.time import eventually

KEYS = WrappingKeys("k1", {"k1": b"k" * 32})
QUICK = Backoff(first=0.001, longest=0.05, attempts=3)


@dataclass
class Broker:
    """A place at a broker."""

    prefix: str = field(default_factory=lambda: f"t-{secrets.token_hex(6)}")
    url: str = field(default_factory=amqp_url)

    @property
    def names(self) -> Names:
        """What things are called there."""
        return Names(self.prefix)

    def bus(
        self,
        client: str = "test",
        *,
        url: str | None = None,
        keys: WrappingKeys = KEYS,
        clock: Clock | None = None,
        patience: float = 5.0,
        confirm: float = 15.0,
        watch: float = 0.2,
        largest: int = 100_000,
    ) -> RabbitBus:
        """A bus there; enter it."""
        settings = RabbitSettings(
            url=url or self.url,
            prefix=self.prefix,
            largest=largest,
            patience=patience,
            confirm=confirm,
            watch=watch,
        )
        seals = Seals(client, keys, clock or SystemClock())
        return RabbitBus(settings, seals, client=client, backoff=QUICK)

    @asynccontextmanager
    async def channel(self) -> AsyncIterator[AbstractChannel]:
        """A channel past every bus, as somebody with access to the broker has it."""
        connection = await aiormq.connect(self.url)
        try:
            yield await connection.channel()
        finally:
            await connection.close()

    async def delete(self, queues: Sequence[str] = ()) -> None:
        """Take away what is there."""
        async with self.channel() as channel:
            for queue in (self.names.dead_letters, *map(self.names.queue, queues)):
                await channel.queue_delete(queue)
            for exchange in (
                self.names.events,
                self.names.outside,
                self.names.dead,
                self.names.nudges,
            ):
                await channel.exchange_delete(exchange)


@asynccontextmanager
async def broker(*queues: str) -> AsyncIterator[Broker]:
    """A place at a broker; *queues* are the subscriptions that are deleted with it."""
    place = Broker()
    try:
        yield place
    finally:
        with contextlib.suppress(aiormq.exceptions.AMQPError):
            await place.delete(queues)


def event(id: str, type: str = "test.happened.v1", data: bytes = b"{}") -> CloudEvent:
    """Something that happened."""
    moment = datetime(2026, 1, 15, 10, 30, tzinfo=UTC)
    return CloudEvent(id=id, source="/test", type=type, time=moment, data=msgspec.Raw(data))


class Heard:
    """A handler that remembers ids, each once, as an inbox does."""

    def __init__(self) -> None:
        self.times = 0
        self.ids: list[str] = []

    async def __call__(self, event: CloudEvent) -> None:
        self.times += 1
        if event.id not in self.ids:
            self.ids.append(event.id)

    async def has(self, *ids: str, within: float = 10.0) -> None:
        """Wait until it has heard *ids*, in this order."""
        await eventually(lambda: self.ids == list(ids), within=within)


class Graveyard:
    """Keeps dead letters in memory."""

    def __init__(self, bus: RabbitBus) -> None:
        self.letters: list[DeadLetter] = []
        bus.keep_dead_letters(self._keep)

    async def _keep(self, letter: DeadLetter) -> None:
        self.letters.append(letter)

    async def has(self, count: int) -> list[DeadLetter]:
        """Wait for *count* letters."""
        await eventually(lambda: len(self.letters) >= count, within=30)
        return self.letters
