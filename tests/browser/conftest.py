"""A suite, a browser, a place to come back to, and somebody to log in."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from aiohttp import web as aiohttp_web
from playwright.async_api import BrowserContext, async_playwright

from tests.browser.visitor import Callback, Visitor
from tests.support.oauth import Web, administrator
from tests.support.oauth import web as requests
from tests.support.oauth_browser import Person
from tests.support.servers import absent
from tests.support.suite import Suite, started

PASSWORD = "Teapots-and-7-cups"
_QUIET = (
    *(
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-dev-shm-usage",
    ),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
_NUMBERS = itertools.count(1)


@pytest.fixture(scope="package")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suite]:
    """A suite that all these tests share."""
    with started(
        tmp_path_factory.mktemp("suite"),
        AUTOWORKER_AUTH_RATE_LIMIT="100000/60",
        AUTOWORKER_ANONYMOUS_RATE_LIMIT="100000/60",
    ) as running:
        yield running


@pytest.fixture
async def web(suite: Suite) -> AsyncIterator[Web]:
    """Raw requests to the suite."""
    async with requests(suite) as opened:
        yield opened


@pytest.fixture
async def admin(suite: Suite, web: Web) -> str:
    """An administrator's access token."""
    return await administrator(suite, web)


@pytest.fixture
async def grace(web: Web) -> Person:
    """Somebody with a password."""
    person = Person(f"grace-{next(_NUMBERS)}@example.com", PASSWORD)
    body = {"email": person.email, "password": PASSWORD, "name": "Grace Hopper"}
    answer = await web.ask("POST", "/v1/auth/register", json=body)
    assert answer.status == 201, answer.text
    return person


@pytest.fixture
async def callback() -> AsyncIterator[Callback]:
    """Where the client waits for whoever comes back."""
    callback = Callback()
    app = aiohttp_web.Application()
    app.router.add_get("/callback", callback.serve)
    runner = aiohttp_web.AppRunner(app, access_log=None)
    await runner.setup()
    site = aiohttp_web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    callback.url = f"http://127.0.0.1:{runner.addresses[0][1]}/callback"
    yield callback
    await runner.cleanup()


@pytest.fixture
async def context(tmp_path: Path) -> AsyncIterator[BrowserContext]:
    """A Chromium that was never here, without JavaScript: no page of ours needs it."""
    chromium = shutil.which("chromium") or absent("chromium", "PATH")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=list(_QUIET))
        yield await browser.new_context(java_script_enabled=False)
        await browser.close()


@pytest.fixture
async def visitor(context: BrowserContext) -> Visitor:
    """Somebody in front of the browser."""
    return Visitor(await context.new_page())
