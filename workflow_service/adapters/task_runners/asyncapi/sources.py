"""Where messages come from: a queue of a broker, or a WebSocket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Container
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

from aio_pika.abc import AbstractIncomingMessage, AbstractQueue
from aiormq.channel import Channel
from aiormq.exceptions import ChannelInvalidStateError

from workflow_service.adapters.egress import Doors, EgressFailed, Failure, ResponseTooLarge
from workflow_service.adapters.egress.websockets import Sockets
from workflow_service.adapters.task_runners.asyncapi import amqp_bindings as bindings
from workflow_service.adapters.task_runners.asyncapi.amqp import connected, exchange_of, queue_of
from workflow_service.adapters.task_runners.asyncapi.documents import Destination
from workflow_service.adapters.task_runners.asyncapi.messages import of_amqp, of_socket
from workflow_service.adapters.task_runners.asyncapi.publishing import websocket_url
from workflow_service.domain.execution.credentials import Credentials
from workflow_service.domain.expressions import JsonValue

_WATCH: Final = 5.0
"""Seconds between two looks at whether a queue is still consumed."""


async def _nothing() -> None:
    """Nobody waits for a word that the message was taken."""


@dataclass(frozen=True, slots=True)
class Came:
    """A message, and how whoever sent it is told that it was taken."""

    message: JsonValue
    taken: Callable[[], Awaitable[None]] = _nothing


class Source(Protocol):
    """Messages, one after the other."""

    async def next(self) -> Came:
        """Wait for the next one.

        Raises:
            EgressFailed: none will come any more.
        """
        ...


Opened: TypeAlias = AbstractAsyncContextManager[Source]


class _Socket:
    def __init__(self, receive: Callable[[], Awaitable[bytes]]) -> None:
        self._receive = receive

    async def next(self) -> Came:
        return Came(of_socket(await self._receive()))


class _Queue:
    """Messages as the broker delivers them; it is told of each that is taken."""

    def __init__(self, is_consumed: Callable[[], bool], limit: int) -> None:
        self._is_consumed = is_consumed
        self._limit = limit
        self._came: asyncio.Queue[AbstractIncomingMessage | None] = asyncio.Queue()

    async def deliver(self, message: AbstractIncomingMessage) -> None:
        await self._came.put(message)

    def lost(self, *_: object) -> None:
        self._came.put_nowait(None)

    async def _watched(self) -> AbstractIncomingMessage | None:
        """A broker that ends a consumer, since its queue is gone, tells nobody who only waits."""
        while self._is_consumed():
            try:
                async with asyncio.timeout(_WATCH):
                    return await self._came.get()
            except TimeoutError:
                continue
        return None

    async def next(self) -> Came:
        message = await self._watched()
        if message is None:
            raise EgressFailed(Failure.RESET)
        if len(message.body) > self._limit:
            await message.reject(requeue=False)  # else it would come again and again
            raise ResponseTooLarge(self._limit)
        return Came(of_amqp(message), lambda: _acknowledge(message))


def _consumers(channel: object) -> Container[str]:
    """Return the tags of a channel's consumers, as they come and go."""
    if not isinstance(channel, Channel):
        raise TypeError(f"{type(channel).__name__} does not tell its consumers")
    return channel.consumers


async def _acknowledge(message: AbstractIncomingMessage) -> None:
    """A tag belongs to its channel: on a lost one the message comes again, and is no concern of this one."""
    try:
        await message.ack()
    except (ChannelInvalidStateError, ConnectionError) as exc:
        raise EgressFailed(Failure.RESET) from exc


@asynccontextmanager
async def from_socket(
    sockets: Sockets, place: Destination, headers: dict[str, str]
) -> AsyncIterator[Source]:
    """The messages of a WebSocket."""
    async with sockets.open(websocket_url(place), headers) as socket:
        yield _Socket(socket.receive)


@asynccontextmanager
async def from_queue(
    doors: Doors,
    place: Destination,
    credentials: Credentials | None,
    *,
    ahead: int,
    limit: int,
) -> AsyncIterator[Source]:
    """The messages of a queue; where the channel stands for an exchange, of one that is bound to it.

    Args:
        doors: the way out.
        place: the queue, among others.
        credentials: those of the task.
        ahead: how many messages may be underway.
        limit: bytes that a message may have; a larger one is rejected.
    """
    async with connected(doors, place, credentials, None) as channel:
        await channel.set_qos(prefetch_count=ahead)
        queue: AbstractQueue = await queue_of(channel, place)
        if not bindings.is_queue(place):
            exchange = await exchange_of(channel, place)
            if exchange.name:
                _ = await queue.bind(exchange, place.address)
        consumers = _consumers(await channel.get_underlay_channel())
        tag = f"autoworker-{id(consumers)}"
        found = _Queue(lambda: tag in consumers, limit)
        channel.close_callbacks.add(found.lost)
        _ = await queue.consume(found.deliver, consumer_tag=tag)
        yield found
