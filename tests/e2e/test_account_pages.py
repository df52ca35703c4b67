"""The links in mails, followed by people with a browser that runs no scripts."""

import itertools
from collections.abc import AsyncIterator, Iterator
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support.account_client import Visitor, registered, visitor
from tests.support.gateway_client import PASSWORD
from tests.support.mailbox import SETTINGS, Mailbox
from tests.support.oauth import CALLBACK, Web, administrator, made_client
from tests.support.oauth import web as requests
from tests.support.oauth_browser import Browser, asked
from tests.support.ports import free_port
from tests.support.suite import Suite, started

OTHER = "Another-Password-8"
RESET, CONFIRM, NEW = "Set a new password", "Confirm your e-mail", "Confirm your new"
INVITED = "You have been invited"
FORGOT = "/account/forgot-password"
_NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suite]:
    """A suite whose mails have links, since it knows where it will listen."""
    with started(
        tmp_path_factory.mktemp("suite"),
        AUTOWORKER_HTTP_PORT=str(free_port()),
        AUTOWORKER_ACCESS_LOG="on",
        AUTOWORKER_TENANTS="acme",
        **SETTINGS,
    ) as running:
        yield running


@pytest.fixture
def mailbox(suite: Suite) -> Mailbox:
    return Mailbox(suite.data)


@pytest.fixture
def email() -> str:
    return f"person-{next(_NUMBERS)}@example.com"


@pytest.fixture
async def web(suite: Suite) -> AsyncIterator[Web]:
    async with requests(suite) as opened:
        yield opened


@pytest.fixture
def browser(web: Web) -> Browser:
    return Browser(web)


@pytest.fixture
async def ada(suite: Suite, email: str) -> AsyncIterator[Visitor]:
    async with visitor(suite.url) as who:
        await registered(who, email)
        yield who


@pytest.fixture
async def link(browser: Browser, ada: Visitor, mailbox: Mailbox, email: str) -> str:
    """What was mailed to Ada, who has lost her password."""
    await browser.go(FORGOT)
    await browser.send(email=email)
    return await mailbox.link(email, RESET)


async def test_who_has_lost_the_password_chooses_another(
    suite: Suite, web: Web, browser: Browser, ada: Visitor, mailbox: Mailbox, email: str
) -> None:
    token = await administrator(suite, web)
    client = await made_client(web, token, redirect_uris=[CALLBACK])
    login = await browser.go(asked(client))
    assert f'href="{FORGOT}?tenant=default">Forgot your password?' in login.text
    await browser.go(f"{FORGOT}?tenant=default")
    told = await browser.send(email=email)
    assert "Look into your mail" in told.text

    link = await mailbox.link(email, RESET)
    assert link.startswith(f"{suite.url}/account/reset-password?token=")
    page = await browser.go(link)
    assert email in page.text
    done = await browser.send(password=OTHER, repeated=OTHER)

    assert (done.status, "Your password is set" in done.text) == (200, True)
    assert (await ada.login(email, PASSWORD))[0] == 401
    assert (await ada.login(email, OTHER))[0] == 200


async def test_the_page_says_the_same_of_known_and_unknown_addresses(
    browser: Browser, ada: Visitor, email: str
) -> None:
    answers = []
    for address in (email, f"no-{email}"):
        await browser.go(FORGOT)
        answers.append(await browser.send(email=address))

    known, unknown = answers
    assert (known.status, known.text) == (unknown.status, unknown.text)
    assert known.status == 200


async def test_who_belongs_to_another_tenant_says_so(
    web: Web, browser: Browser, mailbox: Mailbox, email: str
) -> None:
    body = {"email": email, "password": PASSWORD, "name": "Eve", "tenant": "acme"}
    assert (await web.ask("POST", "/v1/auth/register", json=body)).status == 201

    await browser.go(f"{FORGOT}?tenant=acme")
    assert browser.forms.fields["tenant"] == "acme"
    await browser.send(email=email)
    await browser.go(await mailbox.link(email, RESET))
    await browser.send(password=OTHER, repeated=OTHER)

    login = {"email": email, "password": OTHER, "tenant": "acme"}
    assert (await web.ask("POST", "/v1/auth/login", json=login)).status == 200


async def test_what_is_no_address_is_asked_for_again(browser: Browser) -> None:
    await browser.go(FORGOT)
    page = await browser.send(email="")

    assert (page.status, browser.forms.alert) == (
        422,
        "Type in the e-mail address of your account.",
    )


async def test_programs_that_open_links_use_nothing_up(
    web: Web, browser: Browser, link: str
) -> None:
    scanner = Browser(web)
    for _ in range(3):
        assert (await scanner.go(link)).status == 200

    await browser.go(link)

    assert (await browser.send(password=OTHER, repeated=OTHER)).status == 200


async def test_a_link_is_good_once(web: Web, browser: Browser, link: str) -> None:
    late = Browser(web)
    await late.go(link)
    await browser.go(link)
    assert (await browser.send(password=OTHER, repeated=OTHER)).status == 200

    used = await late.send(password=PASSWORD, repeated=PASSWORD)
    opened = await browser.go(link)

    assert (used.status, opened.status) == (400, 400)
    assert "This link is not good any more" in used.text
    assert FORGOT in opened.text
    assert late.forms.alert.startswith("The link is used, expired, or not whole.")


async def test_every_rule_that_a_password_breaks_is_named_and_the_link_stays_good(
    browser: Browser, link: str
) -> None:
    await browser.go(link)

    weak = await browser.send(password="weak", repeated="weak")
    assert weak.status == 422
    for said in ("at least 8 characters", "an upper-case letter", "a digit"):
        assert said in weak.text
    assert 'role="alert"' in weak.text
    unlike = await browser.send(password=OTHER, repeated=PASSWORD)
    assert (unlike.status, "not the same" in unlike.text) == (422, True)

    assert (await browser.send(password=OTHER, repeated=OTHER)).status == 200


async def test_a_form_that_we_did_not_make_for_this_browser_is_refused(
    web: Web, browser: Browser, ada: Visitor, link: str, email: str
) -> None:
    token = parse_qs(urlsplit(link).query)["token"][0]
    mallory = Browser(web)
    await mallory.go(link)
    theirs = mallory.forms.fields["csrf"]
    wanted = {"token": token, "password": OTHER, "repeated": OTHER}
    path = "/account/reset-password"

    await browser.go(FORGOT)
    another = browser.forms.fields["csrf"]
    for csrf in ({}, {"csrf": theirs}, {"csrf": another}):
        assert (await browser.post(path, {**wanted, **csrf})).status == 403
    assert (await Browser(web).post(path, {**wanted, "csrf": theirs})).status == 403
    assert (await Browser(web).post(FORGOT, {"email": email})).status == 403
    assert (await ada.login(email, PASSWORD))[0] == 200

    await browser.go(link)
    assert (await browser.send(password=OTHER, repeated=OTHER)).status == 200


async def test_an_address_is_confirmed_by_a_button(
    suite: Suite, browser: Browser, ada: Visitor, mailbox: Mailbox, email: str
) -> None:
    link = await mailbox.link(email, CONFIRM)
    assert link.startswith(f"{suite.url}/account/verify-email?token=")

    await browser.go(link)
    assert (await ada("GET", "/v1/users/me"))[1]["email_verified"] is False
    done = await browser.send()

    assert "Your address is confirmed" in done.text
    assert (await ada("GET", "/v1/users/me"))[1]["email_verified"] is True


async def test_a_new_address_is_confirmed_by_a_button(
    browser: Browser, ada: Visitor, mailbox: Mailbox, email: str
) -> None:
    body = {"email": f"new-{email}", "password": PASSWORD}
    assert (await ada("PUT", "/v1/users/me/email", body))[0] == 202
    link = await mailbox.link(f"new-{email}", NEW)

    wrong = link.replace("confirm-email", "verify-email")
    assert (await browser.go(wrong)).status == 400
    page = await browser.go(link)
    assert f"new-{email}" in page.text
    assert "Your address is changed" in (await browser.send()).text

    assert (await ada.login(f"new-{email}"))[0] == 200


async def test_somebody_invited_chooses_a_password(
    suite: Suite, web: Web, browser: Browser, ada: Visitor, mailbox: Mailbox, email: str
) -> None:
    token = await administrator(suite, web)
    body = {"email": f"x{email}", "name": "Grace"}
    made = await web.call("POST", "/v1/users", token, json=body)
    assert made.status == 201, made.text

    await browser.go(await mailbox.link(f"x{email}", ""))
    done = await browser.send(password=OTHER, repeated=OTHER)

    assert "You can sign in now" in done.text
    assert (await ada.login(f"x{email}", OTHER))[0] == 200


async def test_a_token_stays_between_the_mail_and_us(
    suite: Suite, browser: Browser, link: str
) -> None:
    token = parse_qs(urlsplit(link).query)["token"][0]

    page = await browser.go(link)
    sent = await browser.send(password=OTHER, repeated=OTHER)

    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["Cache-Control"] == "no-store"
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "form-action 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "<script" not in page.text
    suite.wait_for(sent.headers["X-Request-Id"])
    assert '"path":"/account/reset-password"' in suite.said
    assert token not in suite.logged
    assert token not in suite.said
