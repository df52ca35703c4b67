"""What every store of dead letters must do."""

from dataclasses import replace
from datetime import timedelta

from notification_service.domain.dead_letter import DeadLetter, DeadLetterFilter, DeadLetterKind
from tests.contract.notification_service.adapters import Opener, Store
from tests.unit.notification_service.builders import later

ALL = DeadLetterFilter()


def letter(id: str = "a", **changes: object) -> DeadLetter:
    made = DeadLetter(
        id=id,
        tenant="default",
        kind=DeadLetterKind.EVENT,
        service="notification",
        subscription="notification-endings",
        type="t.ended",
        about="e1",
        reason="no such field",
        payload=b'{"a": 1}',
        redrivable=True,
        at=later(0),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


async def ids(store: Store, wanted: DeadLetterFilter = ALL, tenant: str = "default") -> list[str]:
    page = await store.dead_letters.page(tenant, wanted, before=None, limit=100)
    return [kept.letter.id for kept in page]


async def test_a_dead_letter_is_kept_as_it_is(store: Store) -> None:
    await store.dead_letters.keep(letter())

    kept = await store.dead_letters.get("default", "a")
    assert kept is not None
    assert (kept.letter, kept.first_at, kept.times) == (letter(), later(0), 1)


async def test_the_same_one_again_counts_once_more_and_stays_in_its_place(store: Store) -> None:
    await store.dead_letters.keep(letter("a"))
    await store.dead_letters.keep(letter("b"))
    again = letter("a", reason="still none", at=later(60))
    await store.dead_letters.keep(again)

    kept = await store.dead_letters.get("default", "a")
    assert kept is not None
    assert (kept.letter, kept.first_at, kept.times) == (again, later(0), 2)
    assert await ids(store) == ["b", "a"]
    assert await store.dead_letters.count() == 2


async def test_pages_go_from_the_newest_to_the_oldest(store: Store) -> None:
    for name in "abcde":
        await store.dead_letters.keep(letter(name))

    first = await store.dead_letters.page("default", ALL, before=None, limit=2)
    second = await store.dead_letters.page("default", ALL, before=first[-1].position, limit=9)
    assert [kept.letter.id for kept in (*first, *second)] == list("edcba")


async def test_a_tenant_sees_its_own_alone(store: Store) -> None:
    await store.dead_letters.keep(letter("a"))
    await store.dead_letters.keep(letter("b", tenant="other"))

    assert await ids(store) == ["a"]
    assert await store.dead_letters.get("other", "a") is None
    assert not await store.dead_letters.remove("other", "a")
    assert await ids(store, tenant="other") == ["b"]


async def test_filters_let_through_what_fits_all_of_them(store: Store) -> None:
    await store.dead_letters.keep(letter("a"))
    await store.dead_letters.keep(letter("b", kind=DeadLetterKind.DELIVERY, at=later(60)))
    await store.dead_letters.keep(letter("c", service="workflow", type="t.other", at=later(120)))

    assert await ids(store, DeadLetterFilter(kind="delivery")) == ["b"]
    assert await ids(store, DeadLetterFilter(service="workflow")) == ["c"]
    assert await ids(store, DeadLetterFilter(type="t.ended")) == ["b", "a"]
    assert await ids(store, DeadLetterFilter(since=later(60))) == ["c", "b"]
    assert await ids(store, DeadLetterFilter(until=later(60))) == ["a"]
    minute = DeadLetterFilter(
        kind="event", since=later(60), until=later(120) + timedelta(seconds=1)
    )
    assert await ids(store, minute) == ["c"]


async def test_what_is_removed_is_gone_once(store: Store) -> None:
    await store.dead_letters.keep(letter())

    assert await store.dead_letters.remove("default", "a")
    assert not await store.dead_letters.remove("default", "a")
    assert await ids(store) == []


async def test_a_dead_letter_outlives_the_process(reopen: Opener) -> None:
    async with reopen() as store:
        await store.dead_letters.keep(letter())
    async with reopen() as store:
        assert await ids(store) == ["a"]
