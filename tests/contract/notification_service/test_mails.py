"""What every store of mails about accounts must do."""

from dataclasses import replace
from datetime import timedelta

from notification_service.application.mail_ports import USELESS
from notification_service.domain.delivery import Attempt, ChannelName, DeliveryStatus
from notification_service.domain.recipient import Recipient
from tests.contract.notification_service.adapters import Opener, Store
from tests.unit.notification_service.builders import (
    attempt,
    later,
    pending_mail,
    sealed_mail,
)

SECOND = timedelta(seconds=1)


def tried(mail_id: str, status: DeliveryStatus) -> Attempt:
    made = attempt("a1", mail_id, recipient=Recipient("default", "alice"), status=status)
    return replace(made, channel=ChannelName.MAIL)


async def test_an_accepted_mail_is_kept_and_due(store: Store) -> None:
    assert await store.mails.accept(sealed_mail(), pending_mail())

    assert await store.mails.find("m1") == sealed_mail()
    assert await store.queue.claim(later(0), 10) == [pending_mail()]


async def test_the_same_mail_again_changes_nothing(store: Store) -> None:
    await store.mails.accept(sealed_mail(), pending_mail())

    other = replace(sealed_mail(), sealed=b"other")
    assert not await store.mails.accept(other, pending_mail())

    assert await store.mails.find("m1") == sealed_mail()
    assert await store.queue.depth() == 1


async def test_a_mail_stays_while_it_is_tried_again(store: Store) -> None:
    await store.mails.accept(sealed_mail(), pending_mail())
    [claimed] = await store.queue.claim(later(0), 1)

    again = replace(claimed, attempts=1, due_at=later(5))
    await store.queue.settle(tried("m1", DeliveryStatus.RETRYING), again)

    assert await store.mails.find("m1") == sealed_mail()


async def test_a_mail_that_is_done_is_wiped_and_never_accepted_again(store: Store) -> None:
    await store.mails.accept(sealed_mail(), pending_mail())
    await store.queue.claim(later(0), 1)

    await store.queue.settle(tried("m1", DeliveryStatus.DELIVERED), None)

    assert await store.mails.find("m1") is None
    assert not await store.mails.accept(sealed_mail(), pending_mail())
    assert await store.queue.depth() == 0


async def test_a_mail_nobody_knows_is_not_found(store: Store) -> None:
    assert await store.mails.find("m1") is None


async def test_an_accepted_mail_outlives_the_process(reopen: Opener) -> None:
    async with reopen() as first:
        await first.mails.accept(sealed_mail(), pending_mail())

    async with reopen() as second:
        assert await second.mails.find("m1") == sealed_mail()
        assert await second.queue.depth() == 1


async def test_a_mail_that_was_never_sent_is_forgotten_a_day_after_its_end(store: Store) -> None:
    await store.mails.accept(sealed_mail("old"), pending_mail("old"))
    await store.mails.accept(sealed_mail("new"), pending_mail("new"))
    end = sealed_mail().expires_at

    for id_, written_at in (("at", end + USELESS), ("after", end + USELESS + SECOND)):
        mail = replace(sealed_mail(id_), written_at=written_at, expires_at=written_at + USELESS)
        await store.mails.accept(mail, pending_mail(id_))
        left = await store.queue.depth()
        assert (left, await store.mails.find("old") is None) == (
            (3, False) if id_ == "at" else (2, True)
        )
