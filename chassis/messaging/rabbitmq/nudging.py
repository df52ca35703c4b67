"""Nudges over the broker: small, unconfirmed, gathered for some milliseconds, and lost without harm."""

import asyncio
from collections.abc import Callable
from typing import Final

import msgspec
from aiormq.abc import AbstractChannel, AbstractConnection, DeliveredMessage
from pamqp.common import FieldValue

from chassis.clock import Clock
from chassis.ids import RandomIds
from chassis.messaging.port import CloudEvent
from chassis.messaging.rabbitmq.envelope import Refused, Seals
from chassis.messaging.rabbitmq.errors import DRIVER_ERRORS, cancelled_by_driver
from chassis.messaging.rabbitmq.topology import Names
from chassis.telemetry import metrics

LINGER: Final = 0.003
"""Seconds for which nudges are gathered into one message."""
MOST: Final = 5_000
"""How many subjects wait at the most; the others are lost, as everybody must be prepared for."""
TYPE: Final = "io.autoworker.bus.nudge.v1"
_QUEUE: Final[dict[str, FieldValue]] = {"x-message-ttl": 10_000, "x-max-length": 10_000}
_NUDGES = metrics.counter("bus_nudges_total", "Hints to other processes.", ["how"])
_encode = msgspec.json.Encoder().encode


class _Told(msgspec.Struct):
    origin: str
    subjects: list[str]


_decode: Final[Callable[[msgspec.Raw], _Told]] = msgspec.json.Decoder(_Told).decode


class Nudging:
    """Sends what this process has to tell, and hears the others.

    Args:
        names: of the exchange.
        seals: vouch for what is sent, and prove what comes: a forged one could keep everybody busy.
        clock: tells the time.
    """

    def __init__(self, names: Names, seals: Seals, clock: Clock) -> None:
        self._names = names
        self._seals = seals
        self._clock = clock
        self._origin = RandomIds().new()
        self._handlers: dict[str, Callable[[str], None]] = {}
        self._waiting: dict[str, dict[str, None]] = {}
        self._rung = asyncio.Event()
        self._channel: AbstractChannel | None = None
        self._queue = ""
        self._bound: set[str] = set()

    @property
    def attached(self) -> bool:
        """Whether nudges come and go, or nobody here wants any."""
        return self._handlers.keys() <= self._bound and (not self._handlers or self._open)

    @property
    def _open(self) -> bool:
        return self._channel is not None and not self._channel.is_closed

    def hear(self, topic: str, handler: Callable[[str], None]) -> None:
        """Give *handler* the subjects that other processes tell under *topic*."""
        self._handlers[topic] = handler

    def tell(self, topic: str, subject: str) -> None:
        """Have others told soon; the same again within some milliseconds is told once."""
        subjects = self._waiting.setdefault(topic, {})
        if len(subjects) < MOST:
            subjects[subject] = None
            self._rung.set()

    async def attach(self, connection: AbstractConnection, attention: Callable[[], None]) -> None:
        """Talk and listen over *connection* from now on; *attention* is called when that ends."""
        if self._open:
            await self.bind()
            return
        channel = await connection.channel(publisher_confirms=False)
        channel.closing.add_done_callback(lambda _: attention())
        declared = await channel.queue_declare(exclusive=True, auto_delete=True, arguments=_QUEUE)
        self._queue, self._channel, self._bound = declared.queue or "", channel, set()
        await self.bind()
        await channel.basic_consume(self._queue, self._arrived, no_ack=True)

    async def bind(self) -> None:
        """Have the exchange, and hear what comes by it: somebody may have deleted it."""
        channel = self._channel
        if channel is None or channel.is_closed:
            return
        await channel.exchange_declare(self._names.nudges, exchange_type="topic", durable=True)
        # Somebody may want to hear more meanwhile.
        for topic in list(self._handlers):
            await channel.queue_bind(self._queue, self._names.nudges, topic)
            self._bound.add(topic)

    async def run(self) -> None:
        """Send for ever; what cannot be sent now is lost."""
        while True:
            await self._rung.wait()
            await asyncio.sleep(LINGER)
            self._rung.clear()
            waiting, self._waiting = self._waiting, {}
            for topic, subjects in waiting.items():
                await self._send(topic, list(subjects))

    async def _send(self, topic: str, subjects: list[str]) -> None:
        channel = self._channel
        if channel is None or channel.is_closed:
            return
        told = CloudEvent(
            id=self._origin,
            source="/autoworker/bus",
            type=TYPE,
            time=self._clock.now(),
            subject=topic,
            data=msgspec.Raw(_encode(_Told(self._origin, subjects))),
        )
        properties, body = self._seals.sealed(told)
        properties.delivery_mode = 1
        try:
            async with asyncio.timeout(1.0):
                await channel.basic_publish(
                    body, exchange=self._names.nudges, routing_key=topic, properties=properties
                )
        except (*DRIVER_ERRORS, TimeoutError):
            return
        except asyncio.CancelledError:
            if cancelled_by_driver():
                return
            raise
        _NUDGES.child("told").inc(len(subjects))

    async def _arrived(self, message: DeliveredMessage) -> None:
        try:
            event = self._seals.opened(message.header.properties, message.body)
            told = _decode(event.data) if event.type == TYPE else None
        except (Refused, msgspec.DecodeError):
            _NUDGES.child("refused").inc()
            return
        handler = self._handlers.get(event.subject or "")
        # By the topic that is sealed: whoever sends it on elsewhere changes nothing.
        if told is None or handler is None or told.origin == self._origin:
            return
        _NUDGES.child("heard").inc(len(told.subjects))
        for subject in told.subjects:
            handler(subject)
