"""Login, consent, second factor, device and logout in Chromium, without JavaScript."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.async_api import BrowserContext

from tests.browser.visitor import Callback, Visitor
from tests.e2e.attacks.raw import raw_as
from tests.support.factors import App, enrol_app
from tests.support.oauth import Web, claims, made_client
from tests.support.oauth_browser import Person, asked, redeemed
from tests.support.suite import Suite

Client = dict[str, Any]


@pytest.fixture
async def client(web: Web, admin: str, callback: Callback) -> Client:
    return await made_client(
        web,
        admin,
        client_name="Teapot Shop",
        redirect_uris=[callback.url],
        grant_types=["authorization_code", "refresh_token"],
        scope="openid profile email executions:read",
    )


@pytest.fixture
async def app(suite: Suite, grace: Person) -> App:
    """Makes Grace's codes."""
    async with raw_as(suite.url, grace.email, grace.password) as api:
        return (await enrol_app(api))[0]


def address(web: Web, client: Client, callback: Callback, **more: str) -> str:
    scope = "openid email executions:read"
    return web.url + asked(client, redirect_uri=callback.url, scope=scope, **more)


async def code_of(callback: Callback) -> str:
    return parse_qs(urlsplit(await callback.visited()).query)["code"][0]


async def test_somebody_signs_in_and_agrees(
    web: Web, client: Client, callback: Callback, visitor: Visitor, grace: Person
) -> None:
    await visitor.go(address(web, client, callback))
    await visitor.sees("Sign in")
    await visitor.sign_in(grace)
    await visitor.sees("Allow Teapot Shop access?")

    await visitor.press("Allow")

    answer = await redeemed(web, client, await code_of(callback), redirect_uri=callback.url)
    assert answer.status == 200, answer.text
    assert (await web.call("GET", "/v1/executions", answer.json["access_token"])).status == 200


async def test_a_wrong_password_is_told_and_can_be_mended(
    web: Web, client: Client, callback: Callback, visitor: Visitor, grace: Person
) -> None:
    await visitor.go(address(web, client, callback))
    await visitor.sign_in(grace, "not-this-1-Surely")
    assert await visitor.alert()
    assert await visitor.page.title() == "Problem: Sign in · Autoworker"
    assert await visitor.page.get_by_label("E-mail address").input_value() == grace.email

    await visitor.sign_in(grace)

    await visitor.sees("Allow Teapot Shop access?")


async def test_whoever_does_not_agree_goes_back_without_a_code(
    web: Web, client: Client, callback: Callback, visitor: Visitor, grace: Person
) -> None:
    await visitor.go(address(web, client, callback))
    await visitor.sign_in(grace)

    await visitor.press("Do not allow")

    assert "error=access_denied" in await callback.visited()


async def test_a_second_factor_is_asked_for_and_a_browser_can_be_remembered(
    web: Web, client: Client, callback: Callback, context: BrowserContext, grace: Person, app: App
) -> None:
    first = Visitor(await context.new_page())
    await first.go(address(web, client, callback))
    await first.sign_in(grace)
    await first.sees("Enter a code")
    await first.enter_code("000000")
    assert await first.alert()
    await first.enter_code(await app.code(), remember=True)
    await first.press("Allow")
    answer = await redeemed(web, client, await code_of(callback), redirect_uri=callback.url)
    assert claims(answer.json["id_token"])["acr"] == "aal2"

    second = Visitor(await context.new_page())
    await second.go(address(web, client, callback, prompt="login"))
    await second.sign_in(grace)

    assert await code_of(callback)


async def test_signed_in_is_signed_in_until_one_signs_out(
    web: Web, client: Client, callback: Callback, visitor: Visitor, grace: Person
) -> None:
    await visitor.go(address(web, client, callback))
    await visitor.sign_in(grace)
    await visitor.press("Allow")
    await code_of(callback)
    await visitor.go(address(web, client, callback))
    await code_of(callback)

    await visitor.go(web.url + "/oauth2/logout")
    await visitor.press("Sign out")
    await visitor.go(address(web, client, callback))

    await visitor.sees("Sign in")


async def test_no_page_may_be_framed_or_run_a_script(
    web: Web, client: Client, callback: Callback, visitor: Visitor
) -> None:
    answer = await visitor.page.goto(address(web, client, callback))

    assert answer is not None
    policy = (await answer.all_headers())["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert await visitor.page.locator("script").count() == 0
    cookies = await visitor.page.context.cookies()
    assert [(c["name"][:7], c["secure"], c["httpOnly"], c["sameSite"]) for c in cookies] == [
        ("__Host-", True, True, "Lax")
    ]


async def test_a_wrong_address_to_come_back_to_is_told_here_and_nowhere_else(
    web: Web, client: Client, callback: Callback, visitor: Visitor
) -> None:
    elsewhere = asked(client, redirect_uri=callback.url + "/other")

    await visitor.go(web.url + elsewhere)

    assert urlsplit(visitor.page.url).netloc == urlsplit(web.url).netloc
    assert await visitor.alert()
    assert callback.visits.empty()
