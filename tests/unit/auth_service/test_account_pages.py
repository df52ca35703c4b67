"""Pages about accounts, where something is in the way."""

import asyncio
from dataclasses import dataclass, field, replace

import pytest

from auth_service.application.accounts.change_email import ChangeEmail
from auth_service.application.accounts.mail_requests import MailRequestPolicy
from auth_service.application.accounts.request_link import RequestLink
from auth_service.application.groups.accounts import LinkPageCases
from auth_service.application.oauth.browsing import (
    AccountLinkPage,
    ForgotPasswordPage,
    MessagePage,
    Shown,
    Visit,
)
from auth_service.application.ports.mail import MailWay
from auth_service.application.recent_authentication import Presence
from auth_service.config import Settings
from auth_service.domain.account import Purpose
from auth_service.domain.oauth.parameters import Parameters
from tests.unit.auth_service.fakes import EMAIL, HOME, Identity, identity, session_of

OTHER = "Another-Password-8"


@dataclass(slots=True)
class Browser:
    """Keeps the cookie, and fills in the form that it was shown."""

    cookie: str = ""
    csrf: str = field(default="", repr=False)

    def visit(self, **values: str) -> Visit:
        return Visit(Parameters({"csrf": self.csrf, **values}), self.cookie, "http://x", HOME)

    def look(self, shown: object) -> Shown:
        assert isinstance(shown, Shown)
        self.cookie = shown.cookie or self.cookie
        if isinstance(shown.view, AccountLinkPage | ForgotPasswordPage):
            self.csrf = shown.view.csrf
        return shown


async def asked_for(auth: Identity, purpose: Purpose = Purpose.RESET_PASSWORD) -> str:
    await auth.app.accounts.request_link(RequestLink("default", EMAIL, purpose, HOME))
    *_, letter = await auth.mailed()
    return letter.facts["token"]


def link_pages(auth: Identity, purpose: Purpose = Purpose.RESET_PASSWORD) -> LinkPageCases:
    return auth.app.accounts.pages.links[purpose]


async def test_who_asks_for_mails_too_often_is_told_to_wait_and_keeps_what_was_typed() -> None:
    few = replace(Settings(), mail_requests=MailRequestPolicy(per_address=1))
    async with identity(few) as auth:
        browser, pages = Browser(), auth.app.accounts.pages
        browser.look(await pages.forgot(browser.visit()))
        first = browser.look(await pages.submit_forgot(browser.visit(email=EMAIL)))
        again = browser.look(await pages.submit_forgot(browser.visit(email=EMAIL)))

    assert isinstance(first.view, MessagePage)
    assert first.status == 200
    assert isinstance(again.view, ForgotPasswordPage)
    assert (again.status, again.view.email) == (429, EMAIL)
    assert again.retry_after is not None
    assert again.retry_after > 0


@pytest.mark.parametrize("known", [True, False])
async def test_where_no_mail_can_be_sent_everybody_is_told(auth: Identity, known: bool) -> None:
    if known:
        await auth.register()
    auth.carrier.leaves_by = MailWay.NONE
    browser, pages = Browser(), auth.app.accounts.pages
    browser.look(await pages.forgot(browser.visit()))

    said = browser.look(await pages.submit_forgot(browser.visit(email=EMAIL)))

    assert isinstance(said.view, MessagePage)
    assert said.view.title == "No mail can be sent"


async def test_a_link_that_expires_while_its_page_is_open_says_so(auth: Identity) -> None:
    await auth.register()
    token = await asked_for(auth)
    browser, pages = Browser(), link_pages(auth)
    browser.look(await pages.show(browser.visit(token=token)))
    auth.clock.advance(1800)

    late = browser.look(
        await pages.submit(browser.visit(token=token, password=OTHER, repeated=OTHER))
    )

    assert isinstance(late.view, MessagePage)
    assert late.view.onward is not None
    assert late.status == 400
    assert await auth.login() is not None


async def test_an_address_that_somebody_else_took_meanwhile_is_told_on_the_page(
    auth: Identity,
) -> None:
    user = await auth.register()
    new = "new@example.com"
    presence = Presence("default", user.id, session_of(await auth.login()), HOME)
    await auth.mailed()
    await auth.app.accounts.change_email(ChangeEmail(presence, new))
    letter = next(each for each in await auth.mailed() if "token" in each.facts)
    await auth.register(new)
    browser, pages = Browser(), link_pages(auth, Purpose.CHANGE_EMAIL)
    token = letter.facts["token"]
    browser.look(await pages.show(browser.visit(token=token)))

    taken = browser.look(await pages.submit(browser.visit(token=token)))

    assert isinstance(taken.view, AccountLinkPage)
    assert (taken.status, taken.view.problems) == (
        409,
        ("This e-mail address is already registered",),
    )


async def test_of_fifty_forms_at_once_one_uses_the_link_up(auth: Identity) -> None:
    await auth.register()
    token = await asked_for(auth)
    browser, pages = Browser(), link_pages(auth)
    browser.look(await pages.show(browser.visit(token=token)))
    visit = browser.visit(token=token, password=OTHER, repeated=OTHER)

    answers = [
        browser.look(each)
        for each in await asyncio.gather(*(pages.submit(visit) for _ in range(50)))
    ]

    assert sorted(each.status for each in answers) == [200] + [400] * 49
