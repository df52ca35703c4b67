"""What comes from the broker: proved, handed over, or given up."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

import msgspec
from aiormq.abc import DeliveredMessage

from chassis.errors import Unavailable
from chassis.messaging.port import CloudEvent, DeadLetter, DeadLetterHandler, Handler, matches
from chassis.messaging.rabbitmq.envelope import Refused, Seals
from chassis.messaging.rabbitmq.publishing import DEAD_LETTER, UNPUBLISHED, Publisher
from chassis.messaging.rabbitmq.topology import DELIVERY_LIMIT, Names
from chassis.messaging.retry import Backoff, GivenUp, deliver
from chassis.messaging.signals import DELIVERED
from chassis.telemetry import metrics
from chassis.telemetry.audit import LogAudit

_REFUSED = metrics.counter(
    "bus_refused_total", "Messages that nobody vouches for.", ["subscription", "reason"]
)
_AUDIT: Final = LogAudit("chassis.messaging.audit", frozenset({"bus.message_refused"}))
_decode: Final[Callable[[msgspec.Raw], DeadLetter]] = msgspec.json.Decoder(DeadLetter).decode


class Taking:
    """Deals with messages on behalf of subscriptions.

    Args:
        names: of exchanges and queues.
        seals: prove messages.
        publisher: takes what is given up.
        backoff: the pauses between attempts to hand over.
        largest: bytes of a body above which it is not even looked at.
    """

    def __init__(
        self, names: Names, seals: Seals, publisher: Publisher, backoff: Backoff, largest: int
    ) -> None:
        self._names = names
        self._seals = seals
        self._publisher = publisher
        self._backoff = backoff
        self._largest = largest

    async def take(
        self, name: str, types: tuple[str, ...], handler: Handler, message: DeliveredMessage
    ) -> None:
        """Have *handler* take a message in; return once that is settled, one way or the other."""
        try:
            event = self._proved(message, any_age=False)
            wanted = any(matches(pattern, event.type) for pattern in types)
            if not wanted and not self._published(message):
                raise Refused("its type is not what is subscribed to", "routing")
        except Refused as exc:
            await self._refuse(name, message, exc)
            return
        if not wanted:
            return  # A pattern of AMQP lets through more than was asked for.
        try:
            await deliver(name, handler, event, self._backoff)
        except GivenUp as exc:
            await self._give_up(DeadLetter(name, event, str(exc.cause)), message)
        else:
            DELIVERED.child(name).inc()

    async def bury(self, handler: DeadLetterHandler, message: DeliveredMessage) -> None:
        """Have *handler* keep a dead letter; it is asked again until it does."""
        letter = self._letter(message)
        failures = 0
        while True:
            try:
                await handler(letter)
            except Unavailable:
                failures += 1
                await asyncio.sleep(self._backoff.pause(failures))
            else:
                return

    def _proved(self, message: DeliveredMessage, *, any_age: bool) -> CloudEvent:
        if len(message.body) > self._largest:
            raise Refused(f"it has {len(message.body)} bytes, more than {self._largest}", "size")
        event = self._seals.opened(message.header.properties, message.body, any_age=any_age)
        if self._published(message) and message.routing_key != event.type:
            raise Refused("its routing key is not its type", "routing")
        return event

    def _published(self, message: DeliveredMessage) -> bool:
        """Whether it came by an exchange for all, and not to one queue alone."""
        return message.exchange in (self._names.events, self._names.outside)

    async def _refuse(self, name: str, message: DeliveredMessage, refused: Refused) -> None:
        _REFUSED.child(name, refused.code).inc()
        told = self._seals.unproved(
            message.header.properties, message.body, message.routing_key or ""
        )
        _AUDIT.record(
            "bus.message_refused",
            subscription=name,
            reason=str(refused),
            type=told.type,
            id=told.id,
        )
        await self._give_up(DeadLetter(name, told, str(refused), trusted=False), message)

    async def _give_up(self, letter: DeadLetter, message: DeliveredMessage) -> None:
        failures = 0
        while not message.channel.is_closed:
            try:
                await self._publisher.give_up(letter)
            except Unavailable:
                failures += 1
                await asyncio.sleep(self._backoff.pause(failures))
            else:
                return

    def _letter(self, message: DeliveredMessage) -> DeadLetter:
        """What *message* says was given up: by one of us, or by the broker."""
        subscription = message.routing_key or ""
        if subscription == UNPUBLISHED:
            subscription = ""
        try:
            event = self._proved(message, any_age=True)
            if event.type == DEAD_LETTER:
                return _decode(event.data)
            return DeadLetter(subscription, event, _why(message.header.properties.headers or {}))
        except (Refused, msgspec.DecodeError) as exc:
            told = self._seals.unproved(message.header.properties, message.body, subscription)
            _AUDIT.record("bus.message_refused", subscription="dead letters", reason=str(exc))
            return DeadLetter(subscription, told, str(exc), trusted=False)


def _why(headers: dict[str, Any]) -> str:
    """Why the broker gave a message up. Source: RabbitMQ, "Dead Letter Exchanges", x-death."""
    deaths = headers.get("x-death")
    first = deaths[0] if isinstance(deaths, list) and deaths else {}
    reason = first.get("reason") if isinstance(first, dict) else None
    if reason == "delivery_limit":
        return f"its consumers died over it more than {DELIVERY_LIMIT} times"
    return f"the broker gave it up: {reason or 'nobody knows why'}"
