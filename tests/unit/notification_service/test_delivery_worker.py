"""The worker claims what is due, some at a time, and outlives a store that is away."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from chassis.errors import Unavailable
from chassis.lifecycle import Supervisor
from notification_service.application.commands.attempt_delivery import AttemptDelivery
from notification_service.application.ports import EventKey
from notification_service.domain.delivery import PendingDelivery
from notification_service.entrypoints.delivery_worker import DeliveryWorker
from tests.support.time import ManualClock, eventually
from tests.unit.notification_service.builders import NOON, mailed
from tests.unit.notification_service.fakes import MemoryDeliveryQueue, MemoryStore, RecordedSignals


class Attempts:
    """Stands for the use case: settles nothing until it is told to go on."""

    def __init__(self, queue: MemoryDeliveryQueue, *, failures: int = 0) -> None:
        self.queue = queue
        self.failures = failures
        self.under_way = 0
        self.most = 0
        self.made: list[str] = []
        self.go_on = asyncio.Event()

    async def __call__(self, command: AttemptDelivery) -> None:
        """See `AttemptDeliveryHandler`."""
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            await self.go_on.wait()
            if self.failures:
                self.failures -= 1
                raise Unavailable("The store is away.")
            self.made.append(command.pending.notification_id)
            await self.queue.drop(command.pending)
        finally:
            self.queue.release(command.pending)
            self.under_way -= 1


class AwayAtFirst(MemoryDeliveryQueue):
    """Cannot be read the first time."""

    reads = 0

    async def claim(self, now: datetime, limit: int) -> Sequence[PendingDelivery]:
        """See `DeliveryQueue.claim`."""
        self.reads += 1
        if self.reads == 1:
            raise Unavailable("The store is away.")
        return await super().claim(now, limit)


@contextlib.asynccontextmanager
async def working(queue: MemoryDeliveryQueue, attempts: Attempts) -> AsyncIterator[None]:
    """A worker works on *queue*."""
    async with Supervisor() as supervisor:
        worker = DeliveryWorker(
            queue,
            attempts,
            supervisor=supervisor,
            clock=ManualClock(NOON),
            signals=RecordedSignals(),
            concurrency=3,
            store_pause=0,
        )
        _ = supervisor.start("worker", worker.run())
        yield


async def filled(count: int) -> MemoryStore:
    store = MemoryStore()
    for number in range(count):
        await store.intake.settle(EventKey("/test", str(number)), mailed(f"n{number}"))
    return store


async def test_only_so_many_are_made_at_a_time() -> None:
    store = await filled(10)
    attempts = Attempts(store.queue)
    async with working(store.queue, attempts):
        await eventually(lambda: attempts.under_way == 3)
        attempts.go_on.set()
        await eventually(lambda: len(attempts.made) == 10)

    assert attempts.most == 3
    assert sorted(attempts.made) == [f"n{number}" for number in range(10)]


async def test_what_is_queued_later_is_found() -> None:
    store = MemoryStore()
    attempts = Attempts(store.queue)
    attempts.go_on.set()
    async with working(store.queue, attempts):
        await asyncio.sleep(0)
        await store.intake.settle(EventKey("/test", "1"), mailed("n1"))
        await eventually(lambda: attempts.made == ["n1"])


async def test_an_attempt_that_could_not_be_made_is_made_again() -> None:
    store = await filled(1)
    attempts = Attempts(store.queue, failures=2)
    attempts.go_on.set()
    async with working(store.queue, attempts):
        await eventually(lambda: attempts.made == ["n0"])


async def test_a_store_that_is_away_is_waited_for() -> None:
    store = await filled(1)
    queue = AwayAtFirst(store.tables)
    attempts = Attempts(queue)
    attempts.go_on.set()
    async with working(queue, attempts):
        await eventually(lambda: attempts.made == ["n0"])


async def test_a_stop_lets_what_is_under_way_end() -> None:
    store = await filled(1)
    attempts = Attempts(store.queue)
    async with working(store.queue, attempts):
        await eventually(lambda: attempts.under_way == 1)
        asyncio.get_running_loop().call_later(0.02, attempts.go_on.set)

    assert attempts.made == ["n0"]
