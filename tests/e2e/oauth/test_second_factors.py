"""The page that asks for a second factor, without a script, as a browser fills it in."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.e2e.attacks.raw import Raw, raw_as
from tests.support.factors import App, enrol_app
from tests.support.oauth import Web, claims
from tests.support.oauth_browser import Browser, Person, asked, redeemed, returned
from tests.support.suite import Suite

Client = dict[str, Any]


@pytest.fixture
async def grace_at_the_api(suite: Suite, grace: Person) -> AsyncIterator[Raw]:
    """Grace, logged in to the API."""
    async with raw_as(suite.url, grace.email, grace.password) as api:
        yield api


@pytest.fixture
async def app(grace_at_the_api: Raw) -> App:
    """Makes Grace's codes."""
    return (await enrol_app(grace_at_the_api))[0]


async def tokens(web: Web, client: Client, browser: Browser) -> dict[str, Any]:
    """What the client gets after the consent that is on the page."""
    code = returned(await browser.send(decision="allow"))["code"]
    answer = await redeemed(web, client, code)
    assert answer.status == 200, answer.text
    return dict(answer.json)


async def test_a_password_and_then_a_code_and_the_client_learns_of_both(
    web: Web, client: Client, grace: Person, app: App, browser: Browser
) -> None:
    await browser.go(asked(client))
    page = await browser.sign_in(grace)
    assert (page.status, browser.forms.fields["step"]) == (200, "factor")
    assert 'autocomplete="one-time-code"' in page.text
    assert "<script" not in page.text
    assert "form-action 'self' https://client.example" in page.headers["Content-Security-Policy"]

    page = await browser.send(code=await app.code(), decision="verify", remember="")

    assert browser.forms.fields["step"] == "consent"
    said = claims((await tokens(web, client, browser))["id_token"])
    assert (said["acr"], said["amr"]) == ("aal2", ["pwd", "otp", "mfa"])


async def test_a_wrong_code_is_told_and_five_end_the_login(
    client: Client, grace: Person, app: App, browser: Browser
) -> None:
    await browser.go(asked(client))
    await browser.sign_in(grace)
    for _ in range(4):
        page = await browser.send(code="000000", decision="verify")
        assert (page.status, browser.forms.fields["step"]) == (401, "factor")
        assert "not right" in browser.forms.alert
    page = await browser.send(code="000000", decision="verify")
    assert "Sign in again" in browser.forms.alert
    assert browser.forms.fields["step"] == "login"

    await browser.sign_in(grace)
    await browser.send(code=await app.code(), decision="verify")
    assert browser.forms.fields["step"] == "consent"


async def test_nobody_comes_around_the_page(
    client: Client, grace: Person, app: App, browser: Browser, web: Web
) -> None:
    await browser.go(asked(client))
    await browser.sign_in(grace)
    fields = dict(browser.forms.fields)

    for values in (
        {**fields, "step": "consent", "decision": "allow"},
        {**fields, "csrf": "x" * 43, "code": await app.code()},
    ):
        answer = await browser.post("/oauth2/continue", values)
        assert "code=" not in answer.headers.get("Location", "")
    stranger = Browser(web)
    stolen = await stranger.post("/oauth2/continue", {**fields, "code": await app.code()})
    assert stolen.status == 403


async def test_a_remembered_browser_is_not_asked_again_and_its_cookie_changes(
    web: Web, client: Client, grace: Person, app: App, browser: Browser
) -> None:
    await browser.go(asked(client))
    await browser.sign_in(grace)
    page = await browser.send(
        follow=False, code=await app.code(), decision="verify", remember="yes"
    )
    attributes = next(
        value for name, value in page.headers.items()
        if name == "Set-Cookie" and value.startswith("__Host-autoworker-device=")
    )  # fmt: skip
    for wanted in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=2592000"):
        assert wanted in attributes
    first = browser.device

    await browser.go(asked(client, prompt="login"))
    await browser.sign_in(grace)

    assert browser.forms.fields["step"] == "consent"
    assert browser.device not in ("", first)
    said = claims((await tokens(web, client, browser))["id_token"])
    assert (said["acr"], said["amr"]) == ("aal1", ["pwd", "device"])
