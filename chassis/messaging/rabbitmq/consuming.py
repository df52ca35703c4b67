"""One subscription's consumer: it outlives connections, and is attached to each new one."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from aiormq import spec
from aiormq.abc import AbstractChannel, AbstractConnection, DeliveredMessage

from chassis.lifecycle import Supervisor
from chassis.messaging.rabbitmq.errors import DRIVER_ERRORS
from chassis.telemetry.logging import get_logger

_log = get_logger("chassis.messaging.rabbitmq")

AHEAD: Final = 100
"""How many messages wait here for a handler that takes one at a time."""

Take = Callable[[DeliveredMessage], Awaitable[None]]
"""Deals with a message. Returning settles it."""


class Consumer:
    """Hands messages over, in the order of the queue, so many at a time as are allowed.

    A delivery belongs to the channel that it came by. What a dead channel brought and was not begun
    yet is forgotten, since it comes again; what was begun is ended, and its answer goes nowhere.

    Args:
        queue: where messages come from.
        take: deals with each.
        at_once: how many may be under way.
        supervisor: runs the work.
        attention: called when something is wrong with the consumer.
    """

    def __init__(
        self,
        queue: str,
        take: Take,
        *,
        at_once: int,
        supervisor: Supervisor,
        attention: Callable[[], None],
    ) -> None:
        self.queue = queue
        self._take = take
        self._at_once = at_once
        self._supervisor = supervisor
        self._room = asyncio.Semaphore(at_once)
        self._attention = attention
        self._waiting: asyncio.Queue[DeliveredMessage] = asyncio.Queue()
        self._under_way: set[asyncio.Task[None]] = set()
        self._channel: AbstractChannel | None = None
        self._tag: str | None = None
        self._work: asyncio.Task[None] | None = None
        self._left = False

    @property
    def attached(self) -> bool:
        """Whether messages come, or nobody wants them any more."""
        channel = self._channel
        if self._left:
            return True
        return channel is not None and not channel.is_closed and self._tag is not None

    async def attach(self, connection: AbstractConnection) -> None:
        """Consume over *connection* from now on."""
        await self.detach()
        if self._work is None:
            self._work = self._supervisor.start(f"consume {self.queue}", self._hand_over())
        channel = await connection.channel(publisher_confirms=False)
        self._channel = channel
        channel.closing.add_done_callback(lambda _: self._attention())
        channel.on_consumer_cancel_callbacks.add(self._cancelled)
        # More would wait here while another process that shares the queue has nothing to do.
        ahead = AHEAD if self._at_once == 1 else 2 * self._at_once
        await channel.basic_qos(prefetch_count=ahead)
        answer = await channel.basic_consume(self.queue, self._arrived)
        self._tag = answer.consumer_tag

    async def detach(self) -> None:
        """Let the channel go, if there is one."""
        channel, self._channel, self._tag = self._channel, None, None
        if channel is not None and not channel.is_closed:
            await channel.close()

    async def leave(self) -> None:
        """Take nothing more, and return once what was begun is done."""
        self._left = True
        channel = self._channel
        if channel is not None and not channel.is_closed and self._tag is not None:
            # Else the broker knows already that nobody is here.
            with suppress(*DRIVER_ERRORS):
                await channel.basic_cancel(self._tag)
        if self._work is not None:
            self._work.cancel()
            await asyncio.gather(self._work, return_exceptions=True)
        await asyncio.gather(*self._under_way, return_exceptions=True)
        with suppress(*DRIVER_ERRORS):
            await self.detach()

    async def _arrived(self, message: DeliveredMessage) -> None:
        self._waiting.put_nowait(message)

    def _cancelled(self, _: spec.Basic.Cancel) -> None:
        self._tag = None
        self._attention()

    async def _hand_over(self) -> None:
        while True:
            await self._room.acquire()
            message = await self._waiting.get()
            if message.channel.is_closed or self._left:
                self._room.release()
                continue
            task = self._supervisor.spawn("message", self._settle(message))
            self._under_way.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._room.release()

    async def _settle(self, message: DeliveredMessage) -> None:
        tag = message.delivery_tag
        if tag is None:
            return
        try:
            try:
                await self._take(message)
            except Exception:  # noqa: BLE001 -- a mistake of ours must not lose the message
                _log.exception("message_failed", queue=self.queue)
                await message.channel.basic_nack(tag, requeue=True, wait=False)
            else:
                await message.channel.basic_ack(tag, wait=False)
        except DRIVER_ERRORS:
            # It comes again, and is known by its id.
            _log.info("message_not_settled", queue=self.queue)
