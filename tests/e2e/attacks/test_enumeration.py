"""Attack 13: nobody learns who has an account, from words, statuses, headers, mails or the work done."""

import itertools
from collections.abc import AsyncIterator

import pytest

from auth_service.application.accounts.request_link import RequestLink
from auth_service.domain.account import Purpose
from auth_service.domain.session import Origin
from tests.support.account_client import Answer, Visitor, registered, visitor
from tests.support.mailbox import Mailbox
from tests.support.suite import Suite
from tests.unit.auth_service.fakes import EMAIL, HOME, Identity, identity

WRONG = "Wrong-Password-1"
NOBODY = "nobody@example.com"
RESET = "Set a new password"
_NUMBERS = itertools.count(1)


@pytest.fixture
def suite(mailing_suite: Suite) -> Suite:
    return mailing_suite


@pytest.fixture
async def mallory(suite: Suite) -> AsyncIterator[Visitor]:
    async with visitor(suite.url) as who:
        yield who


@pytest.fixture
async def email(suite: Suite) -> str:
    """The address of somebody who has an account."""
    address = f"somebody-{next(_NUMBERS)}@example.com"
    async with visitor(suite.url) as who:
        await registered(who, address)
    return address


def told(answer: Answer) -> tuple[int, object]:
    """An answer without what differs from request to request."""
    status, body = answer
    if isinstance(body, dict) and "error" in body:
        error = body["error"]
        return status, (error["code"], error["message"], error["details"])
    return status, body


async def test_a_login_says_nothing(mallory: Visitor, email: str) -> None:
    known = told(await mallory.login(email, WRONG))

    assert told(await mallory.login(NOBODY, WRONG)) == known
    assert known[0] == 401
    # The control.
    assert (await mallory.login(email))[0] == 200


async def test_a_deactivated_account_says_nothing_to_strangers(
    mallory: Visitor, email: str
) -> None:
    await mallory.login(email)
    assert (await mallory("POST", "/v1/users/me/deactivate", {}))[0] == 204

    assert told(await mallory.login(email, WRONG)) == told(await mallory.login(NOBODY, WRONG))


@pytest.mark.parametrize("path", ["/v1/auth/password-reset", "/v1/auth/verify-email/resend"])
async def test_asking_for_a_mail_says_nothing(
    suite: Suite, mallory: Visitor, email: str, path: str
) -> None:
    known = told(await mallory("POST", path, {"email": email}))

    assert known[0] == 202
    for address in (NOBODY, f"x{email}", "not an address", "a" * 300):
        assert told(await mallory("POST", path, {"email": address})) == known
    # The control: the mail does go out, to nobody else.
    mailbox = Mailbox(suite.data)
    subject = RESET if "reset" in path else "Confirm your e-mail"
    await mailbox.arrived(email, subject)
    assert mailbox.to(NOBODY) == []


async def test_asking_too_often_for_one_account_says_nothing(
    suite: Suite, mallory: Visitor, email: str
) -> None:
    path = "/v1/auth/password-reset"
    answers = [told(await mallory("POST", path, {"email": email})) for _ in range(6)]

    assert len(set(map(str, answers))) == 1
    mailbox = Mailbox(suite.data)
    await mailbox.arrived(email, RESET, number=3)
    assert len(mailbox.to(email, RESET)) == 3


async def test_a_link_for_another_purpose_is_no_link(
    suite: Suite, mallory: Visitor, email: str
) -> None:
    verify = await Mailbox(suite.data).token(email, "Confirm your e-mail")
    body = {"token": verify, "new_password": "Another-Password-8"}

    refused = told(await mallory("POST", "/v1/auth/password-reset/confirm", body))
    made_up = body | {"token": "A" * 43}

    assert refused == told(await mallory("POST", "/v1/auth/password-reset/confirm", made_up))
    assert refused[0] == 422
    assert (await mallory("POST", "/v1/auth/verify-email", {"token": verify}))[0] == 204


@pytest.fixture
async def auth() -> AsyncIterator[Identity]:
    async with identity() as it:
        yield it


async def work_of(auth: Identity, email: str) -> tuple[int, int, int]:
    """How many mails and tokens asking for a link leaves in the store, and how many hashes it takes."""
    before = await _left(auth)
    origin = Origin(f"192.0.2.{next(_NUMBERS)}", "test")
    await auth.app.accounts.request_link(
        RequestLink("default", email, Purpose.RESET_PASSWORD, origin)
    )
    after = await _left(auth)
    return after[0] - before[0], after[1] - before[1], len(auth.hasher.compared)


async def _left(auth: Identity) -> tuple[int, int]:
    row = await auth.stores.database.read(
        lambda connection: connection.execute(
            "SELECT (SELECT count(*) FROM mail_outbox), (SELECT count(*) FROM account_tokens)"
        ).fetchone()
    )
    return int(row[0]), int(row[1])


async def test_asking_for_a_link_does_the_same_work_for_anybody(auth: Identity) -> None:
    await auth.register()

    known = await work_of(auth, EMAIL)
    unknown = await work_of(auth, NOBODY)

    assert known == unknown == (1, 1, 0)
    assert [letter.template for letter in await auth.mailed()] == ["verify-email", "password-reset"]


async def test_an_unknown_user_costs_one_hash_as_any_other(auth: Identity) -> None:
    await auth.register()
    for address in (EMAIL, NOBODY):
        before = len(auth.hasher.compared)
        with pytest.raises(Exception, match="Wrong e-mail address or password"):
            await auth.login(address, WRONG, origin=HOME)
        assert len(auth.hasher.compared) == before + 1
