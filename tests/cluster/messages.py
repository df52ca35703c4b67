"""Messages as nobody wants them: every one of them again and late, and those that nobody can understand."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import aiormq
import msgspec
from aiormq.abc import AbstractChannel, DeliveredMessage

from chassis.clock import SystemClock
from chassis.crypto.key_file import load_or_create
from chassis.ids import RandomIds
from chassis.messaging.port import CloudEvent
from chassis.messaging.rabbitmq.envelope import Seals
from chassis.messaging.rabbitmq.topology import Names

EXECUTION_ENDED: Final = "io.autoworker.workflow.execution-ended.v1"
NAMES: Final = Names("autoworker")
TIMES: Final = 2
"""How often each message is sent again."""


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[AbstractChannel]:
    """A channel to the broker at *url*, as somebody with access to it has it."""
    connection = await aiormq.connect(url)
    try:
        yield await connection.channel()
    finally:
        await connection.close()


class Echo:
    """Sends everything that is published again, as it was, some time later.

    Args:
        channel: to the broker.
        chance: says how much later.
    """

    def __init__(self, channel: AbstractChannel, chance: random.Random) -> None:
        self._channel = channel
        self._chance = chance
        self._seen: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        self.sent = 0

    async def listen(self) -> None:
        """Begin with what is published from now on."""
        declared = await self._channel.queue_declare(exclusive=True, auto_delete=True)
        queue = declared.queue or ""
        for exchange in (NAMES.events, NAMES.outside):
            await self._channel.queue_bind(queue, exchange, routing_key="#")
        await self._channel.basic_consume(queue, self._heard, no_ack=True)

    async def done(self) -> None:
        """Return once all that was heard has been sent again."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    async def _heard(self, message: DeliveredMessage) -> None:
        id = message.header.properties.message_id or ""
        self._seen[id] += 1
        # Its own echo comes back, too.
        if id and self._seen[id] == 1:
            task = asyncio.ensure_future(self._again(message))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _again(self, message: DeliveredMessage) -> None:
        for _ in range(TIMES):
            await asyncio.sleep(self._chance.uniform(0.0, 1.5))
            await self._channel.basic_publish(
                message.body,
                exchange=message.exchange or "",
                routing_key=message.routing_key or "",
                properties=message.header.properties,
            )
            self.sent += 1


async def poison(channel: AbstractChannel, data: Path, chance: random.Random) -> set[str]:
    """Publish what no consumer can take in, in every way that it can be wrong; the ids that they are known by.

    Returns:
        The ids; what has none is known by one that is made of its content, and told as "".
    """
    keys = load_or_create(data / "keys" / "bus.keys")
    seals = Seals("stranger", keys, SystemClock())
    sealed = [_event(msgspec.Raw(body)) for body in (b'{"execution_id": 7}', b"[]", b'"end"')]
    for event in sealed:
        properties, body = seals.sealed(event)
        await _publish(channel, NAMES.events, properties, body)
    unsealed = _event(msgspec.Raw(b"{}"))
    properties, body = seals.sealed(unsealed)
    headers = {
        name: text for name, text in (properties.headers or {}).items() if "seal" not in name
    }
    await _publish(channel, NAMES.events, aiormq.spec.Basic.Properties(headers=headers), body)
    altered = _event(msgspec.Raw(b'{"owner": "ada"}'))
    properties, body = seals.sealed(altered)
    await _publish(channel, NAMES.events, properties, body.replace(b"ada", b"eve"))
    garbage = aiormq.spec.Basic.Properties(content_type="application/json")
    await _publish(channel, NAMES.events, garbage, chance.randbytes(200))
    return {event.id for event in (*sealed, unsealed, altered)} | {""}


async def _publish(
    channel: AbstractChannel, exchange: str, properties: aiormq.spec.Basic.Properties, body: bytes
) -> None:
    await channel.basic_publish(
        body, exchange=exchange, routing_key=EXECUTION_ENDED, properties=properties
    )


def _event(data: msgspec.Raw) -> CloudEvent:
    return CloudEvent(
        id=f"poison-{RandomIds().new()}",
        source="/stranger",
        type=EXECUTION_ENDED,
        time=SystemClock().now(),
        data=data,
        extensions={"tenant": "default"},
    )
