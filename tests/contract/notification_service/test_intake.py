"""What every intake must do: events take effect once, as a whole."""

from collections.abc import Sequence
from dataclasses import replace

from notification_service.application.ports import Effect, EventKey, LoggedAttempt
from notification_service.domain.notification import Preferences
from tests.contract.notification_service.adapters import Opener, Store
from tests.unit.notification_service.builders import (
    ALICE,
    BOB,
    NOON,
    attempt,
    contact,
    later,
    notification,
    pending,
    pending_mail,
    sealed_mail,
)

EVENT = EventKey("/autoworker/auth", "e1")


async def test_all_parts_of_an_effect_are_made(store: Store) -> None:
    effect = Effect(contact(), notification(), attempt("a1"), pending())

    assert await store.intake.settle(EVENT, effect)

    assert await store.contacts.get(ALICE) == contact()
    assert await store.inbox.get(ALICE, "n1") is not None
    assert [entry.attempt for entry in await _attempts(store)] == [attempt("a1")]
    assert await store.queue.claim(NOON, 10) == [pending()]


async def test_an_event_that_comes_again_changes_nothing(store: Store) -> None:
    await store.intake.settle(EVENT, Effect(notification=notification("n1")))

    fresh = await store.intake.settle(EVENT, Effect(notification=notification("n2")))

    assert not fresh
    assert await store.inbox.get(ALICE, "n2") is None
    assert await store.inbox.latest(ALICE) == 1


async def test_events_of_different_sources_may_share_an_id(store: Store) -> None:
    await store.intake.settle(EVENT, Effect(notification=notification("n1")))

    other = EventKey("/autoworker/workflow", "e1")

    assert await store.intake.settle(other, Effect(notification=notification("n2")))


async def test_events_are_remembered_when_the_store_is_opened_again(reopen: Opener) -> None:
    async with reopen() as store:
        await store.intake.settle(EVENT, Effect(notification=notification("n1")))

    async with reopen() as store:
        assert not await store.intake.settle(EVENT, Effect(notification=notification("n2")))
        assert await store.inbox.latest(ALICE) == 1


async def test_several_events_take_effect_at_once(store: Store) -> None:
    several = [
        (EventKey("/test", "e1"), Effect(notification=notification("n1"), attempt=attempt("a1"))),
        (EventKey("/test", "e2"), Effect(notification=notification("n2", BOB))),
        (EventKey("/test", "e3"), Effect(notification=notification("n3"), pending=pending("n3"))),
    ]

    assert list(await store.intake.settle_all(several)) == [True, True, True]

    assert await store.inbox.latest(ALICE) == 2
    assert await store.inbox.get(BOB, "n2") is not None
    assert [entry.attempt for entry in await _attempts(store)] == [attempt("a1")]
    assert await store.queue.claim(NOON, 10) == [pending("n3")]


async def test_of_several_events_those_that_came_before_change_nothing(store: Store) -> None:
    await store.intake.settle(EVENT, Effect(notification=notification("n1")))
    several = [
        (EventKey("/test", "e2"), Effect(notification=notification("n2"))),
        (EVENT, Effect(notification=notification("n3"))),
        (EventKey("/test", "e4"), Effect(notification=notification("n4"))),
    ]

    assert list(await store.intake.settle_all(several)) == [True, False, True]

    assert await store.inbox.get(ALICE, "n3") is None
    assert await store.inbox.latest(ALICE) == 3


async def test_an_event_that_comes_twice_at_once_takes_effect_once(store: Store) -> None:
    twice = [(EVENT, Effect(notification=notification(name))) for name in ("n1", "n2")]

    assert sorted(await store.intake.settle_all(twice)) == [False, True]

    assert await store.inbox.latest(ALICE) == 1


async def test_no_events_change_nothing(store: Store) -> None:
    assert list(await store.intake.settle_all([])) == []


async def test_an_older_contact_does_not_replace_a_newer_one(store: Store) -> None:
    newer, older = contact("new@example.org", as_of=later(1)), contact("old@example.org")
    await store.intake.settle(EVENT, Effect(contact=newer))

    await store.intake.settle(EventKey("/autoworker/auth", "e2"), Effect(contact=older))

    assert await store.contacts.get(ALICE) == newer


async def test_a_newer_contact_replaces_an_older_one(store: Store) -> None:
    newer, older = contact("new@example.org", as_of=later(1)), contact("old@example.org")
    await store.intake.settle(EVENT, Effect(contact=older))

    await store.intake.settle(EventKey("/autoworker/auth", "e2"), Effect(contact=newer))

    assert await store.contacts.get(ALICE) == newer


async def test_who_is_erased_leaves_nothing_behind(store: Store) -> None:
    await store.intake.settle(EVENT, Effect(contact(), notification(), attempt("a1"), pending()))
    await store.preferences.put(ALICE, Preferences(email=False))
    await store.mails.accept(sealed_mail(), pending_mail())
    kept = Effect(
        notification=notification("n2", BOB), pending=replace(pending("n2"), recipient=BOB)
    )
    await store.intake.settle(EventKey("/autoworker/auth", "e2"), kept)

    erasing = EventKey("/autoworker/auth", "e3")
    assert await store.intake.settle(erasing, Effect(erased=ALICE))

    assert await store.contacts.get(ALICE) is None
    assert await store.preferences.get(ALICE) == Preferences()
    assert await store.inbox.latest(ALICE) == 0
    assert await _attempts(store) == []
    assert await store.mails.find("m1") is None
    assert await store.queue.claim(NOON, 10) == [kept.pending]
    assert await store.inbox.latest(BOB) == 1

    await store.intake.settle(EventKey("/test", "e4"), Effect(notification=notification("n3")))
    assert not await store.intake.settle(erasing, Effect(erased=ALICE))
    assert await store.inbox.latest(ALICE) == 1


async def test_nobody_is_known_at_first(store: Store) -> None:
    assert await store.contacts.get(ALICE) is None


async def _attempts(store: Store) -> Sequence[LoggedAttempt]:
    return await store.log.page(ALICE, notification_id=None, before=None, limit=10)
