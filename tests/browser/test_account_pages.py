"""The link in a mail, followed in Chromium, without JavaScript and with the keyboard alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.async_api import BrowserContext, expect

from tests.browser.visitor import Visitor
from tests.support.mailbox import SETTINGS, Mailbox
from tests.support.oauth import Web
from tests.support.oauth_browser import Person
from tests.support.ports import free_port
from tests.support.suite import Suite, started

OTHER = "Another-Password-8"


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suite]:
    """A suite whose mails have links."""
    folder = tmp_path_factory.mktemp("suite")
    with started(folder, AUTOWORKER_HTTP_PORT=str(free_port()), **SETTINGS) as running:
        yield running


async def test_somebody_who_lost_the_password_chooses_another(
    suite: Suite, web: Web, context: BrowserContext, visitor: Visitor, grace: Person
) -> None:
    page, keys = visitor.page, visitor.page.keyboard
    await visitor.go(f"{suite.url}/account/forgot-password")
    await visitor.sees("Forgot your password?")
    await keys.type(grace.email)
    await keys.press("Enter")
    await visitor.sees("Look into your mail")

    await visitor.go(await Mailbox(suite.data).link(grace.email, "Set a new password"))
    await visitor.sees("Choose a new password")
    await expect(page.get_by_label("New password", exact=True)).to_be_focused()
    await keys.type("weak")
    await keys.press("Tab")
    await keys.type("weak")
    await keys.press("Enter")

    await expect(page.get_by_role("alert").get_by_role("listitem")).to_have_text(
        [
            "Must be at least 8 characters long",
            "Must contain an upper-case letter",
            "Must contain a digit",
        ]
    )
    assert "token" not in page.url
    field = page.get_by_label("New password", exact=True)
    await expect(field).to_be_focused()
    await field.fill(OTHER)
    await page.get_by_label("New password, once more").fill(OTHER)
    await visitor.press("Set the password")
    await visitor.sees("Your password is set")

    body = {"email": grace.email, "password": OTHER}
    assert (await web.ask("POST", "/v1/auth/login", json=body)).status == 200
