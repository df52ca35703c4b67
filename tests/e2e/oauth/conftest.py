"""One suite for a module, its administrator, a client, somebody to log in, and raw requests."""

import itertools
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from tests.support.oauth import CALLBACK, Web, administrator, made_client
from tests.support.oauth import web as requests
from tests.support.oauth_browser import Browser, Person
from tests.support.suite import Suite, started

PASSWORD = "Teapots-and-7-cups"
EVERYTHING = "openid profile email offline_access executions:read workflows:read"
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
async def client(web: Web, admin: str) -> dict[str, Any]:
    """A web application with a secret."""
    return await made_client(
        web,
        admin,
        redirect_uris=[CALLBACK],
        post_logout_redirect_uris=["https://client.example/bye"],
        grant_types=["authorization_code", "refresh_token"],
        scope=EVERYTHING,
    )


@pytest.fixture
async def grace(web: Web) -> Person:
    """Somebody with a password."""
    person = Person(f"grace-{next(_NUMBERS)}@example.com", PASSWORD)
    body = {"email": person.email, "password": PASSWORD, "name": "Grace Hopper"}
    answer = await web.ask("POST", "/v1/auth/register", json=body)
    assert answer.status == 201, answer.text
    return person


@pytest.fixture
def browser(web: Web) -> Browser:
    """A browser that was never here."""
    return Browser(web)
