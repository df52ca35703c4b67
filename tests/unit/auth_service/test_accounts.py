"""Accounts: what is asked for too often, what policies forbid, what is noted without a write."""

from dataclasses import replace

import pytest

from auth_service.application.accounts.create_user import CreateUser
from auth_service.application.accounts.list_sessions import ListSessions
from auth_service.application.accounts.mail_requests import MailRequestPolicy
from auth_service.application.accounts.request_link import RequestLink
from auth_service.application.accounts.set_password import SetPassword
from auth_service.application.ports.mail import MailWay
from auth_service.config import Settings
from auth_service.domain.account import AccountPolicy, Purpose
from auth_service.domain.errors import (
    AccountTokenRefused,
    EmailNotVerified,
    NoMailServer,
    TooManyRequests,
)
from auth_service.domain.session import Origin
from tests.unit.auth_service.fakes import EMAIL, HOME, PASSWORD, Identity, identity


def ask(purpose: Purpose = Purpose.RESET_PASSWORD, origin: Origin = HOME) -> RequestLink:
    return RequestLink("default", EMAIL, purpose, origin)


async def test_who_asks_for_mails_too_often_waits() -> None:
    few = replace(Settings(), mail_requests=MailRequestPolicy(per_address=2, per_network=2))
    async with identity(few) as auth:
        request = auth.app.accounts.request_link
        for _ in range(2):
            await request(ask())
        with pytest.raises(TooManyRequests):
            await request(ask())
        neighbour = Origin("198.51.100.8", "test")
        with pytest.raises(TooManyRequests):
            await request(ask(origin=neighbour))
        await request(ask(origin=Origin("203.0.113.1", "test")))


def test_links_lead_to_our_own_pages_once_their_address_is_known() -> None:
    ours = AccountPolicy(public_url="https://api.example.org")

    links = [ours.link(purpose, "t0ken") for purpose in Purpose]

    assert links == [
        f"https://api.example.org/account/{page}?token=t0ken"
        for page in ("verify-email", "confirm-email", "reset-password", "invitation")
    ]
    assert AccountPolicy().link(Purpose.INVITATION, "t0ken") == ""


async def test_links_lead_to_the_pages_of_others_where_that_is_wanted() -> None:
    pages = AccountPolicy(
        account_url="https://app.example.org/account", public_url="https://api.example.org"
    )
    async with identity(replace(Settings(), accounts=pages)) as auth:
        await auth.register()
        [letter] = await auth.mailed()

    token = letter.facts["token"]
    assert letter.facts["link"] == f"https://app.example.org/account/verify-email#token={token}"


async def test_who_is_not_confirmed_stays_outside_where_that_is_wanted() -> None:
    strict = AccountPolicy(unverified_login=False)
    async with identity(replace(Settings(), accounts=strict)) as auth:
        await auth.register()
        with pytest.raises(EmailNotVerified):
            await auth.login()
        await auth.app.accounts.request_link(ask())
        *_, letter = await auth.mailed()
        command = SetPassword(letter.facts["token"], PASSWORD, HOME)
        await auth.app.accounts.set_password(command)
        assert await auth.login() is not None


async def test_a_reset_link_dies_after_half_an_hour(auth: Identity) -> None:
    await auth.register()
    await auth.app.accounts.request_link(ask())
    *_, letter = await auth.mailed()
    auth.clock.advance(1800)

    with pytest.raises(AccountTokenRefused):
        await auth.app.accounts.set_password(SetPassword(letter.facts["token"], PASSWORD, HOME))


async def test_nobody_is_invited_where_no_mail_leaves_the_house(auth: Identity) -> None:
    auth.carrier.leaves_by = MailWay.NONE
    create = auth.app.accounts.create_user

    with pytest.raises(NoMailServer):
        await create(CreateUser("default", "bob@example.com", "", "root"))
    made = await create(CreateUser("default", "bob@example.com", "", "root", PASSWORD))
    assert made.email.text == "bob@example.com"
    assert await auth.app.accounts.request_link(ask()) is False


async def test_a_session_in_use_is_noted_without_a_write(auth: Identity) -> None:
    user = await auth.register()
    issued = await auth.login()
    auth.clock.advance(60)
    await auth.exchange(issued.access_token)

    [record] = (await auth.app.accounts.list_sessions(ListSessions("default", user.id))).items
    [written] = await auth.stores.session_list.page("default", user.id, auth.clock.now(), None, 9)
    assert record.last_seen_at == auth.clock.now()
    assert written.last_seen_at == written.created_at

    await auth.app.accounts.flush_sightings()
    [written] = await auth.stores.session_list.page("default", user.id, auth.clock.now(), None, 9)
    assert written.last_seen_at == auth.clock.now()


async def test_nobody_is_flooded_by_registrations() -> None:
    few = replace(Settings(), mail_requests=MailRequestPolicy(per_address=2))
    async with identity(few) as auth:
        for number in range(4):
            await auth.register(f"person-{number}@example.com")

        assert len(await auth.mailed()) == 2
