"""Sends what is due, some at a time."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from chassis.clock import Clock
from chassis.errors import Unavailable
from chassis.lifecycle import Supervisor
from chassis.telemetry.logging import get_logger
from notification_service.application.commands.attempt_delivery import AttemptDelivery
from notification_service.application.ports import DeliveryQueue, Signals
from notification_service.domain.delivery import PendingDelivery

_log = get_logger("notification_service.worker")

LONGEST_WAIT = 30.0
"""Seconds between two looks at the queue at the most: the wall clock may be set while waiting."""
STORE_PAUSE = 1.0
"""Seconds before looking again at a store that could not be read."""


class DeliveryWorker:
    """Claims what is due and attempts it, at most *concurrency* at a time.

    Being cancelled means to claim no more. Attempts under way are short-lived work of the
    supervisor, which lets them end within its deadline.
    """

    def __init__(
        self,
        queue: DeliveryQueue,
        attempt: Callable[[AttemptDelivery], Awaitable[None]],
        *,
        supervisor: Supervisor,
        clock: Clock,
        signals: Signals,
        concurrency: int,
        store_pause: float = STORE_PAUSE,
    ) -> None:
        self._queue = queue
        self._attempt = attempt
        self._supervisor = supervisor
        self._clock = clock
        self._signals = signals
        self._store_pause = store_pause
        self._room = asyncio.Semaphore(concurrency)

    async def run(self) -> None:
        """Work for ever. A store that is away for a while is waited for."""
        while True:
            try:
                await self._round()
            except Unavailable as exc:
                _log.warning("delivery_queue_unavailable", error=exc.message)
                await asyncio.sleep(self._store_pause)

    async def _round(self) -> None:
        claimed = await self._claim()
        for pending in claimed:
            name = f"delivery of {pending.notification_id}"
            _ = self._supervisor.spawn(name, self._make(pending))
        self._signals.queue_depth(await self._queue.depth())
        if not claimed:
            await self._queue.wait(self._clock.now(), LONGEST_WAIT)

    async def _claim(self) -> Sequence[PendingDelivery]:
        """At most one delivery; it takes its place in the room with it."""
        claimed: Sequence[PendingDelivery] = ()
        await self._room.acquire()
        try:
            claimed = await self._queue.claim(self._clock.now(), 1)
        finally:
            if not claimed:
                self._room.release()
        return claimed

    async def _make(self, pending: PendingDelivery) -> None:
        try:
            await self._attempt(AttemptDelivery(pending))
        except Exception as exc:  # noqa: BLE001 -- it stays queued, whatever it was
            # Nothing was recorded, and it is due again at once: not to be tried in a tight loop.
            foreseen = isinstance(exc, Unavailable)
            _log.warning("delivery_postponed", error=str(exc), exc_info=not foreseen)
            await asyncio.sleep(self._store_pause)
        finally:
            self._room.release()
