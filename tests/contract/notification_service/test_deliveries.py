"""What every queue and every log of deliveries must do."""

import asyncio
import itertools

from notification_service.application.ports import EventKey
from notification_service.domain.delivery import DeliveryStatus
from tests.contract.notification_service.adapters import Opener, Store
from tests.unit.notification_service.builders import (
    ALICE,
    BOB,
    NOON,
    attempt,
    later,
    mailed,
    pending,
)


async def queue(store: Store, *due: tuple[str, float]) -> None:
    for id_, seconds in due:
        await store.intake.settle(EventKey("/test", id_), mailed(id_, due_at=later(seconds)))


async def claimed(store: Store, seconds: float = 0, limit: int = 10) -> list[str]:
    return [each.notification_id for each in await store.queue.claim(later(seconds), limit)]


async def test_only_what_is_due_is_claimed_the_longest_due_first(store: Store) -> None:
    await queue(store, ("late", 2), ("early", 1), ("future", 60))

    assert await claimed(store, 10) == ["early", "late"]


async def test_what_is_claimed_is_nobody_elses(store: Store) -> None:
    await queue(store, ("n1", 0), ("n2", 1))

    assert await claimed(store, 10, limit=1) == ["n1"]
    assert await claimed(store, 10, limit=1) == ["n2"]
    assert await claimed(store, 10) == []


async def test_claims_made_at_the_same_time_do_not_overlap(store: Store) -> None:
    await queue(store, *((f"n{number}", 0) for number in range(10)))

    found = await asyncio.gather(*(claimed(store, limit=3) for _ in range(5)))

    assert sorted(itertools.chain(*found)) == [f"n{number}" for number in range(10)]


async def test_a_released_claim_can_be_claimed_again(store: Store) -> None:
    await queue(store, ("n1", 0))
    await claimed(store)

    store.queue.release(pending())
    store.queue.release(pending())

    assert await claimed(store) == ["n1"]


async def test_a_settled_delivery_is_done_and_recorded(store: Store) -> None:
    await queue(store, ("n1", 0))
    await claimed(store)

    await store.queue.settle(attempt("a1"), None)

    assert await store.queue.depth() == 0
    assert await claimed(store, 99) == []
    logged = await store.log.page(ALICE, notification_id="n1", before=None, limit=10)
    assert [each.attempt for each in logged] == [attempt("a1")]


async def test_a_delivery_that_is_to_be_tried_again_waits_for_its_time(store: Store) -> None:
    await queue(store, ("n1", 0))
    await claimed(store)
    again = pending(attempts=1, due_at=later(30))

    await store.queue.settle(attempt("a1", status=DeliveryStatus.RETRYING), again)

    assert await claimed(store, 29) == []
    assert await store.queue.claim(later(30), 10) == [again]


async def test_a_dropped_delivery_is_gone(store: Store) -> None:
    await queue(store, ("n1", 0))
    await claimed(store)

    await store.queue.drop(pending())

    assert await store.queue.depth() == 0


async def test_claims_end_with_the_process_and_deliveries_do_not(reopen: Opener) -> None:
    async with reopen() as store:
        await queue(store, ("n1", 0))
        await claimed(store)

    async with reopen() as store:
        assert await claimed(store) == ["n1"]


async def test_waiting_ends_when_something_is_queued(store: Store) -> None:
    waiting = asyncio.ensure_future(store.queue.wait(NOON, 60))
    await asyncio.sleep(0)

    await queue(store, ("n1", 0))

    async with asyncio.timeout(20):
        await waiting


async def test_waiting_ends_when_a_claim_is_released(store: Store) -> None:
    await queue(store, ("n1", 0))
    await claimed(store)
    waiting = asyncio.ensure_future(store.queue.wait(NOON, 60))
    await asyncio.sleep(0)

    store.queue.release(pending())

    async with asyncio.timeout(20):
        await waiting


async def test_waiting_ends_when_something_is_due(store: Store) -> None:
    await queue(store, ("n1", 0.02))

    async with asyncio.timeout(20):
        await store.queue.wait(NOON, 60)


async def test_what_is_claimed_is_not_waited_for(store: Store) -> None:
    await queue(store, ("n1", 0))
    await claimed(store)
    await store.queue.wait(NOON, 0)

    waiting = asyncio.ensure_future(store.queue.wait(NOON, 0.05))
    began = asyncio.get_running_loop().time()
    await waiting

    assert asyncio.get_running_loop().time() - began >= 0.04


async def test_the_log_shows_ones_own_newest_first_in_pages(store: Store) -> None:
    for number in (1, 2, 3):
        await store.queue.settle(attempt(f"a{number}", number=number), None)
    await store.queue.settle(attempt("b1", recipient=BOB), None)

    first = await store.log.page(ALICE, notification_id=None, before=None, limit=2)
    rest = await store.log.page(ALICE, notification_id=None, before=first[-1].position, limit=2)

    assert [each.attempt.id for each in (*first, *rest)] == ["a3", "a2", "a1"]


async def test_the_log_can_be_narrowed_to_one_notification(store: Store) -> None:
    await store.queue.settle(attempt("a1", "n1"), None)
    await store.queue.settle(attempt("a2", "n2"), None)

    found = await store.log.page(ALICE, notification_id="n2", before=None, limit=10)

    assert [each.attempt.id for each in found] == ["a2"]
