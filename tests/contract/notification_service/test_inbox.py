"""What every inbox must do."""

import asyncio

import pytest

from notification_service.application.ports import Effect, EventKey
from notification_service.domain.recipient import Recipient
from tests.contract.notification_service.adapters import Store
from tests.unit.notification_service.builders import (
    ALICE,
    BOB,
    MESSAGE,
    NOON,
    later,
    notification,
)

ALICE_ELSEWHERE = Recipient("other-tenant", ALICE.user_id)


async def put(store: Store, *ids: str, recipient: Recipient = ALICE) -> None:
    for id_ in ids:
        effect = Effect(notification=notification(id_, recipient))
        await store.intake.settle(EventKey("/test", id_), effect)


async def ids(
    store: Store, *, before: int | None = None, limit: int = 10, unread_only: bool = False
) -> list[str]:
    page = await store.inbox.page(ALICE, before=before, limit=limit, unread_only=unread_only)
    return [item.id for item in page]


async def test_a_notification_comes_out_as_it_went_in(store: Store) -> None:
    await put(store, "n1")

    found = await store.inbox.get(ALICE, "n1")

    assert found is not None
    assert (found.message, found.created_at, found.read_at) == (MESSAGE, NOON, None)


async def test_each_inbox_counts_its_own_from_one(store: Store) -> None:
    await put(store, "n1", "n2")
    await put(store, "n3", recipient=BOB)

    assert await store.inbox.latest(ALICE) == 2
    assert await store.inbox.latest(BOB) == 1
    assert await store.inbox.latest(ALICE_ELSEWHERE) == 0


@pytest.mark.parametrize("stranger", [BOB, ALICE_ELSEWHERE])
async def test_strangers_see_and_change_nothing(store: Store, stranger: Recipient) -> None:
    await put(store, "n1")

    assert await store.inbox.get(stranger, "n1") is None
    assert await store.inbox.mark_read(stranger, "n1", NOON) is None
    assert await store.inbox.after(stranger, 0, 10) == []
    mine = await store.inbox.get(ALICE, "n1")
    assert mine is not None
    assert mine.read_at is None


async def test_pages_show_the_newest_first(store: Store) -> None:
    await put(store, "n1", "n2", "n3")

    assert await ids(store, limit=2) == ["n3", "n2"]
    assert await ids(store, before=2) == ["n1"]


async def test_what_was_read_can_be_left_out(store: Store) -> None:
    await put(store, "n1", "n2")
    await store.inbox.mark_read(ALICE, "n2", NOON)

    assert await ids(store, unread_only=True) == ["n1"]
    assert await ids(store) == ["n2", "n1"]


async def test_reading_twice_keeps_the_first_time(store: Store) -> None:
    await put(store, "n1")
    first = await store.inbox.mark_read(ALICE, "n1", NOON)

    again = await store.inbox.mark_read(ALICE, "n1", later(5))

    assert first is not None
    assert first.read_at == NOON
    assert again == first


async def test_what_comes_after_a_position_is_oldest_first(store: Store) -> None:
    await put(store, "n1", "n2", "n3")

    assert [item.id for item in await store.inbox.after(ALICE, 1, 10)] == ["n2", "n3"]
    assert [item.id for item in await store.inbox.after(ALICE, 0, 1)] == ["n1"]


async def test_a_bell_remembers_what_came_before_anybody_waited(store: Store) -> None:
    with store.inbox.listen(ALICE) as bell:
        await put(store, "n1")

        async with asyncio.timeout(20):
            await bell.rung()


async def test_a_bell_wakes_who_waits(store: Store) -> None:
    with store.inbox.listen(ALICE) as bell:
        waiting = asyncio.ensure_future(bell.rung())
        await put(store, "n1")

        async with asyncio.timeout(20):
            await waiting
