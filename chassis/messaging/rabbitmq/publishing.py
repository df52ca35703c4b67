"""Messages on their way to the broker, many at a time, each confirmed."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
from aiormq import exceptions as amqp
from aiormq import spec

from chassis.errors import Invalid, NotFound, Unavailable
from chassis.messaging.port import CloudEvent, DeadLetter
from chassis.messaging.rabbitmq.envelope import Seals
from chassis.messaging.rabbitmq.session import Session
from chassis.messaging.rabbitmq.topology import Names
from chassis.messaging.signals import DEAD, log_given_up
from chassis.telemetry import metrics

_PUBLISHED = metrics.counter(
    "bus_published_total",
    "Messages published: the broker has them, or no queue wanted them.",
    ["how"],
)

DEAD_LETTER: Final = "io.autoworker.bus.dead-letter.v1"
"""The type under which what was given up travels."""
UNPUBLISHED: Final = "unpublished"
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class _Message:
    exchange: str
    routing_key: str
    properties: spec.Basic.Properties
    body: bytes


class Publisher:
    """Publishes and waits for the broker's word.

    Args:
        names: of exchanges and queues.
        seals: vouch for what is published.
        session: the one that is usable now; it raises Unavailable when none is.
        wanted: whether there must be a queue for a type.
        in_flight: how many messages wait for their confirmation at the most.
        patience: seconds that the broker may take to confirm them.
    """

    def __init__(
        self,
        names: Names,
        seals: Seals,
        session: Callable[[], Awaitable[Session]],
        wanted: Callable[[str], bool],
        *,
        in_flight: int,
        patience: float,
    ) -> None:
        self._names = names
        self._seals = seals
        self._session = session
        self._wanted = wanted
        self._in_flight = in_flight
        self._patience = patience

    async def publish(self, events: Sequence[CloudEvent]) -> None:
        """Return once the broker has every one of *events*, in this order.

        One that no message can carry is given up: it must not keep what comes after it from being published.

        Raises:
            Unavailable: some may be there, some not.
        """
        for start in range(0, len(events), self._in_flight):
            part = events[start : start + self._in_flight]
            returned = await self._send([await self._message(event) for event in part])
            if any(self._wanted(message.routing_key) for message in returned):
                (await self._session()).attention.set()
                raise Unavailable("a queue that must be there is missing", retry_after=0.1)

    async def redeliver(self, subscription: str, event: CloudEvent) -> None:
        """Put *event* into the queue of one *subscription*; without one, publish it.

        Raises:
            NotFound: there is no such queue.
            Unavailable: it may be there, or not.
        """
        if not subscription:
            await self.publish([event])
            return
        message = self._sealed(event, "", self._names.queue(subscription))
        if await self._send([message]):
            raise NotFound(f"nobody subscribes as {subscription}")

    async def give_up(self, letter: DeadLetter) -> None:
        """Put *letter* where dead letters are kept.

        Raises:
            Unavailable: it may be there, or not.
        """
        returned = await self._send([self._dead(letter)])
        if returned:
            raise Unavailable("the queue of dead letters is missing", retry_after=0.1)
        DEAD.child(letter.subscription or UNPUBLISHED).inc()
        log_given_up(letter)

    async def _message(self, event: CloudEvent) -> _Message:
        try:
            return self._sealed(event, self._names.events, event.type)
        except Invalid as exc:
            letter = DeadLetter("", event, f"it could not be published: {exc.message}")
            DEAD.child(UNPUBLISHED).inc()
            log_given_up(letter)
            return self._dead(letter)

    def _dead(self, letter: DeadLetter) -> _Message:
        told = CloudEvent(
            id=letter.event.id[:200],
            source="/autoworker/bus",
            type=DEAD_LETTER,
            time=letter.event.time,
            data=msgspec.Raw(_encode(letter)),
        )
        return self._sealed(told, self._names.dead, letter.subscription or UNPUBLISHED)

    def _sealed(self, event: CloudEvent, exchange: str, routing_key: str) -> _Message:
        return _Message(exchange, routing_key, *self._seals.sealed(event))

    async def _send(self, messages: Sequence[_Message]) -> list[_Message]:
        """The messages that no queue took; the broker has all the others.

        Raises:
            Unavailable: it may have some, and others not.
        """
        session = await self._session()
        # They begin in their order, and the channel lets them through in that order.
        sending = asyncio.gather(*(_sent(session, m) for m in messages), return_exceptions=True)
        try:
            async with asyncio.timeout(self._patience):
                results = await sending
        except TimeoutError:
            raise Unavailable("the broker did not confirm in time", retry_after=0.1) from None
        returned: list[_Message] = []
        for message, result in zip(messages, results, strict=True):
            if isinstance(result, amqp.PublishError):
                returned.append(message)
            elif isinstance(result, BaseException):
                raise Unavailable("the broker did not confirm a message", retry_after=0.1)
        _PUBLISHED.child("queued").inc(len(messages) - len(returned))
        _PUBLISHED.child("unwanted").inc(len(returned))
        return returned


async def _sent(session: Session, message: _Message) -> None:
    await session.publisher.basic_publish(
        message.body,
        exchange=message.exchange,
        routing_key=message.routing_key,
        properties=message.properties,
        mandatory=True,
        # Not until it is sent: others may go with it.
        wait=False,
    )
