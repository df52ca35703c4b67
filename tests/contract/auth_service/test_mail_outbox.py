"""What every outbox of mails must do."""

from datetime import timedelta
from pathlib import Path

import pytest

from auth_service.application.ports.mail import OutgoingMail
from auth_service.bootstrap.stores import Stores
from tests.contract.auth_service.adapters import STORES
from tests.contract.auth_service.conftest import NOW

SECOND = timedelta(seconds=1)


def mail(mail_id: str, due: timedelta = timedelta()) -> OutgoingMail:
    return OutgoingMail(mail_id, "default", b"sealed", NOW + due, NOW + timedelta(hours=1))


async def test_the_longest_due_comes_first_and_the_future_waits(stores: Stores) -> None:
    for one in (mail("b", SECOND), mail("a"), mail("later", 60 * SECOND)):
        await stores.mails.add(one)

    assert await stores.mails.due(NOW + 2 * SECOND, 10) == [mail("a"), mail("b", SECOND)]
    assert await stores.mails.due(NOW + 2 * SECOND, 1) == [mail("a")]


async def test_what_is_postponed_comes_back(stores: Stores) -> None:
    await stores.mails.add(mail("a"))

    await stores.mails.postpone("a", NOW + SECOND)

    assert await stores.mails.due(NOW, 10) == []
    assert await stores.mails.due(NOW + SECOND, 10) == [mail("a", SECOND)]


async def test_what_is_done_is_gone(stores: Stores) -> None:
    await stores.mails.add(mail("a"))

    await stores.mails.done("a")

    assert await stores.mails.due(NOW, 10) == []


async def test_whoever_waits_hears_of_a_new_one(stores: Stores) -> None:
    await stores.mails.add(mail("a"))

    await stores.mails.wait(seconds=3600)


@pytest.mark.parametrize("name", [name for name in STORES if "file" in name])
async def test_a_mail_outlives_the_process(name: str, tmp_path: Path) -> None:
    async with STORES[name](tmp_path) as first:
        await first.mails.add(mail("a"))

    async with STORES[name](tmp_path) as second:
        assert await second.mails.due(NOW, 10) == [mail("a")]
