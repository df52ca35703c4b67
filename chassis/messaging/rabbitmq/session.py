"""One connection to the broker, from its making to its end."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Final

import aiormq
from aiormq.abc import AbstractConnection
from aiormq.channel import Channel

from chassis.messaging.rabbitmq.consuming import Consumer
from chassis.messaging.rabbitmq.gathering import Gathering
from chassis.messaging.rabbitmq.nudging import Nudging
from chassis.messaging.rabbitmq.topology import (
    Names,
    QueuePlan,
    declare_exchanges,
    declare_queue,
    messages_and_consumers,
)
from chassis.telemetry import metrics
from chassis.telemetry.logging import get_logger

_log = get_logger("chassis.messaging.rabbitmq")
_RESTORED = metrics.counter(
    "bus_consumers_restored_total", "Consumers that were lost and restored.", ["queue"]
)
_WAITING = metrics.gauge("bus_queue_messages", "Messages that wait in a queue.", ["queue"])

CONNECT_PATIENCE: Final = 10.0
_CLOSE_PATIENCE: Final = 2.0


class SessionLost(Exception):
    """The connection is gone, or cannot be used any more."""


class Session:
    """What there is as long as one connection lasts."""

    def __init__(self, connection: AbstractConnection, publisher: Channel, names: Names) -> None:
        self._connection = connection
        self._names = names
        self.publisher = publisher
        """A channel with confirms."""
        self._declared: dict[str, QueuePlan] = {}
        self.attention = asyncio.Event()
        """Set when somebody should look at once."""
        for closing in (connection.closing, publisher.closing):
            closing.add_done_callback(lambda _: self.attention.set())

    @property
    def lost(self) -> bool:
        """Whether it cannot be used any more."""
        return self._connection.is_closed or self.publisher.is_closed

    def has(self, plans: Iterable[QueuePlan]) -> bool:
        """Whether all of *plans* are carried out."""
        return not self.lost and all(self._declared.get(p.subscription) == p for p in plans)

    async def unblocked(self) -> None:
        """Return once the broker takes messages: it stops when memory or disk run out."""
        await self._connection.ready()

    async def settle(
        self, plans: Iterable[QueuePlan], consumers: Iterable[Consumer], nudging: Nudging
    ) -> None:
        """Declare what is not declared yet, and attach who is not attached.

        Raises:
            TopologyMismatch: something is there, but not like this.
            SessionLost: the connection has ended.
        """
        for plan in plans:
            if self._declared.get(plan.subscription) != plan:
                await declare_queue(self._connection, self._names, plan)
                self._declared[plan.subscription] = plan
        for consumer in consumers:
            if not consumer.attached:
                await consumer.attach(self._connection)
        if not nudging.attached:
            await nudging.attach(self._connection, self.attention.set)
        if self.lost:
            raise SessionLost

    async def look(self, consumers: Iterable[Consumer], nudging: Nudging) -> None:
        """Find queues that are gone and consumers that the broker has lost; `settle` restores them."""
        await nudging.bind()
        for subscription in list(self._declared):
            if await self._gone(self._names.queue(subscription)):
                del self._declared[subscription]
        for consumer in consumers:
            if consumer.attached and await self._deserted(consumer.queue):
                await consumer.detach()
            if not consumer.attached:
                _RESTORED.child(consumer.queue).inc()
                _log.warning("consumer_lost", queue=consumer.queue)

    async def _gone(self, queue: str) -> bool:
        found = await messages_and_consumers(self._connection, queue)
        if found is not None:
            _WAITING.child(queue).set(found[0])
            return False
        _log.warning("queue_lost", queue=queue)
        return True

    async def _deserted(self, queue: str) -> bool:
        found = await messages_and_consumers(self._connection, queue)
        return found is None or found[1] == 0


async def _connected(url: str, client: str) -> AbstractConnection:
    try:
        async with asyncio.timeout(CONNECT_PATIENCE):
            return await aiormq.connect(
                url, client_properties={"connection_name": client}, transport_factory=Gathering()
            )
    except StopAsyncIteration as exc:  # what the driver says of a connection that ends meanwhile
        raise ConnectionError("the broker hung up while it was greeted") from exc


@asynccontextmanager
async def opened(url: str, names: Names, client: str) -> AsyncIterator[Session]:
    """A session with the exchanges declared; leaving the block closes it.

    Raises:
        TopologyMismatch: they are there, but not like this.
        TimeoutError, OSError, aiormq.exceptions.AMQPError: the broker cannot be used.
    """
    connection = await _connected(url, client)
    try:
        async with asyncio.timeout(CONNECT_PATIENCE):
            await declare_exchanges(connection, names)
            publisher = await connection.channel(publisher_confirms=True, on_return_raises=True)
            assert isinstance(publisher, Channel)  # noqa: S101 -- the only one that the driver makes
        yield Session(connection, publisher, names)
    finally:
        try:
            async with asyncio.timeout(_CLOSE_PATIENCE):
                await connection.close()
        except Exception as exc:  # noqa: BLE001 -- it is over anyway
            _log.debug("connection_not_closed", reason=str(exc))
