"""What there is on the broker: exchanges, one queue for each subscription, and one for what was given up."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from aiormq import exceptions as amqp
from aiormq.abc import AbstractChannel, AbstractConnection

DELIVERY_LIMIT: Final = 20
"""How often a message comes back from consumers that die over it before the broker gives it up."""


class TopologyMismatch(Exception):
    """What is on the broker is not what this version declares; the text tells the operator what to do."""


@dataclass(frozen=True, slots=True)
class Names:
    """What things are called under one prefix, so that several suites can share a broker."""

    prefix: str

    @property
    def events(self) -> str:
        """The topic exchange; routing keys are types."""
        return f"{self.prefix}.events"

    @property
    def outside(self) -> str:
        """The topic exchange for what others publish for us."""
        return f"{self.prefix}.outside"

    @property
    def dead(self) -> str:
        """The exchange for what was given up."""
        return f"{self.prefix}.dead"

    @property
    def nudges(self) -> str:
        """The exchange for hints that may be lost."""
        return f"{self.prefix}.nudges"

    @property
    def dead_letters(self) -> str:
        """The queue behind it."""
        return f"{self.prefix}.dead-letters"

    def queue(self, subscription: str) -> str:
        """The queue of a subscription."""
        return f"{self.prefix}.{subscription}"

    def subscription(self, queue: str) -> str:
        """The subscription of a queue."""
        return queue.removeprefix(f"{self.prefix}.")


@dataclass(frozen=True, slots=True)
class QueuePlan:
    """A queue that has to be there."""

    subscription: str
    types: tuple[str, ...]
    ordered: bool
    """Whether one consumer at a time gets its messages, so that their order is kept over replicas."""
    outside: bool = False
    """Whether it hears what others publish, instead of what our services do."""

    def arguments(self, names: Names) -> dict[str, Any]:
        """How the queue is declared. Changing one makes every existing queue a mismatch."""
        return {
            "x-queue-type": "quorum",
            "x-delivery-limit": DELIVERY_LIMIT,
            "x-dead-letter-exchange": names.dead,
            "x-dead-letter-routing-key": self.subscription,
            # Only with both of these a dead letter is gone here once it is safe there.
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",
            "x-single-active-consumer": self.ordered,
        }


def binding(pattern: str) -> str:
    """The topic pattern that lets through at least what *pattern* matches.

    A final "*" matches any ending, but AMQP compares whole words only: then everything that begins
    with the words before comes, and the consumer looks again.
    """
    if not pattern.endswith("*"):
        return pattern
    words = pattern[:-1].split(".")[:-1]
    return ".".join([*words, "#"])


async def declare_exchanges(connection: AbstractConnection, names: Names) -> None:
    """Have the exchanges, and the queue of dead letters.

    Raises:
        TopologyMismatch: they are there, but not like this.
    """
    for exchange in (names.events, names.outside, names.dead):
        async with _declaring(connection, f"exchange {exchange}") as channel:
            await channel.exchange_declare(exchange, exchange_type="topic", durable=True)
    async with _declaring(connection, f"queue {names.dead_letters}") as channel:
        await channel.queue_declare(
            names.dead_letters, durable=True, arguments={"x-queue-type": "quorum"}
        )
        await channel.queue_bind(names.dead_letters, names.dead, "#")


async def declare_queue(connection: AbstractConnection, names: Names, plan: QueuePlan) -> None:
    """Have the queue of a subscription, and its bindings.

    Raises:
        TopologyMismatch: it is there, but not like this.
    """
    queue = names.queue(plan.subscription)
    async with _declaring(connection, f"queue {queue}") as channel:
        await channel.queue_declare(queue, durable=True, arguments=plan.arguments(names))
        exchange = names.outside if plan.outside else names.events
        for pattern in dict.fromkeys(map(binding, plan.types)):
            await channel.queue_bind(queue, exchange, pattern)


async def messages_and_consumers(
    connection: AbstractConnection, queue: str
) -> tuple[int, int] | None:
    """How many messages wait in *queue*, and who consumes; None when there is no such queue."""
    channel = await connection.channel(publisher_confirms=False)
    try:
        found = await channel.queue_declare(queue, passive=True)
    except amqp.ChannelNotFoundEntity:
        return None
    await channel.close()
    return found.message_count or 0, found.consumer_count or 0


@asynccontextmanager
async def _declaring(connection: AbstractConnection, what: str) -> AsyncIterator[AbstractChannel]:
    """A channel for a declaration: the broker closes it when what is there differs."""
    channel = await connection.channel(publisher_confirms=False)
    try:
        yield channel
    except amqp.ChannelPreconditionFailed as exc:
        raise TopologyMismatch(
            f"the {what} on the broker is not as this version declares it ({str(exc)[:300]}); "
            "empty and delete it, or set another AUTOWORKER_BUS_PREFIX"
        ) from exc
    await channel.close()
