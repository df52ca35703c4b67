"""What becomes of logins in browsers, and of clients' tokens, when an account changes."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.e2e.attacks.raw import Raw, raw_as
from tests.support.oauth import Web
from tests.support.oauth_browser import Browser, Person, asked, redeemed, returned
from tests.support.suite import Suite

Client = dict[str, Any]


@pytest.fixture
async def api(suite: Suite, grace: Person) -> AsyncIterator[Raw]:
    """Grace, logged in to the API."""
    async with raw_as(suite.url, grace.email, grace.password) as opened:
        yield opened


async def test_a_deactivated_account_is_told_on_the_page_to_who_knows_the_password(
    client: Client, grace: Person, api: Raw, browser: Browser
) -> None:
    gone = await api("POST", "/v1/users/me/deactivate", b"{}", Content_Type="application/json")
    assert gone.status == 204

    await browser.go(asked(client))
    page = await browser.sign_in(Person(grace.email, "Wrong-Password-1"))
    assert "deactivated" not in page.text
    page = await browser.sign_in(grace)

    assert "deactivated" in page.text
    assert browser.forms.fields["step"] == "login"


async def test_a_changed_password_ends_what_browsers_and_clients_have(
    web: Web, client: Client, grace: Person, api: Raw, browser: Browser
) -> None:
    await browser.go(asked(client))
    await browser.sign_in(grace)
    code = returned(await browser.send(decision="allow"))["code"]
    tokens = (await redeemed(web, client, code)).json
    userinfo = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert (await web.ask("GET", "/oauth2/userinfo", headers=userinfo)).status == 200

    body = b'{"new_password": "Another-Password-8"}'
    changed = await api("PUT", "/v1/users/me/password", body, Content_Type="application/json")
    assert changed.status == 204

    assert (await web.ask("GET", "/oauth2/userinfo", headers=userinfo)).status == 401
    await browser.go(asked(client))
    assert browser.forms.fields["step"] == "login"
