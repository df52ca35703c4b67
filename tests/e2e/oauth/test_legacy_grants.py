"""The grants that OAuth 2.1 took away, where an operator still wants them, and the command line."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from tests.support.oauth import CALLBACK, Web, administrator, claims, made_client
from tests.support.oauth import web as requests
from tests.support.oauth_browser import Browser, Person, asked, returned
from tests.support.suite import Suite, command_line, started

PERSON = Person("grace@example.com", "Teapots-and-7-cups")


@pytest.fixture(scope="module")
def old_suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suite]:
    """A suite whose operator wants the old grants."""
    folder = tmp_path_factory.mktemp("old")
    with started(folder, AUTOWORKER_OAUTH_LEGACY_GRANTS="password,implicit") as running:
        yield running


@pytest.fixture
async def old(old_suite: Suite) -> AsyncIterator[Web]:
    """Raw requests to it."""
    async with requests(old_suite) as opened:
        yield opened


@pytest.fixture
async def app(old_suite: Suite, old: Web) -> dict[str, Any]:
    """A client that was written long ago."""
    body = {"email": PERSON.email, "password": PERSON.password}
    await old.ask("POST", "/v1/auth/register", json=body)
    return await made_client(
        old,
        await administrator(old_suite, old),
        redirect_uris=[CALLBACK],
        grant_types=["password", "implicit", "authorization_code"],
        scope="openid executions:read",
    )


async def test_tokens_come_in_the_fragment(old: Web, app: dict[str, Any]) -> None:
    browser = Browser(old)
    parameters = {
        "code_challenge": "",
        "code_challenge_method": "",
        "scope": "openid executions:read",
    }
    await browser.go(asked(app, response_type="id_token token", **parameters))
    await browser.sign_in(PERSON)
    sent = await browser.send(decision="allow")

    assert sent.headers["Location"].startswith(f"{CALLBACK}#")
    back = returned(sent)
    assert (await old.call("GET", "/v1/executions", back["access_token"])).status == 200
    assert claims(back["id_token"])["nonce"] == "n-1"
    assert claims(back["id_token"])["at_hash"]
    assert "refresh_token" not in back
    silent = await browser.go(asked(app, response_type="id_token", prompt="none", **parameters))
    assert claims(returned(silent)["id_token"])["sub"]
    # The code flow is as strict as ever.
    refused = await browser.go(asked(app, code_challenge=""))
    assert returned(refused)["error"] == "invalid_request"


async def test_a_password_becomes_tokens(old: Web, app: dict[str, Any]) -> None:
    good = await old.token(
        app, grant_type="password", username=PERSON.email, password=PERSON.password
    )
    bad = await old.token(app, grant_type="password", username=PERSON.email, password="wrong")

    assert good.status == 200, good.text
    assert good.json["scope"] == "openid executions:read"
    assert (bad.status, bad.error) == (400, "invalid_grant")


async def test_the_operator_is_warned(old_suite: Suite, old: Web) -> None:
    metadata = (await old.ask("GET", "/.well-known/openid-configuration")).json

    assert "oauth_legacy_grants_on" in old_suite.logged + old_suite.said
    assert {"password", "implicit"} <= set(metadata["grant_types_supported"])
    assert "id_token token" in metadata["response_types_supported"]


async def test_clients_in_the_terminal(suite: Suite, web: Web) -> None:
    made = command_line(
        suite.folder, "oauth-clients", "create", "Nightly import",
        "--grant", "client_credentials", "--scope", "workflows:read",
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    client = dict(line.split(": ", 1) for line in made.stdout.splitlines())
    token = await web.token(client, grant_type="client_credentials")
    listed = command_line(suite.folder, "oauth-clients", "list").stdout
    rotated = command_line(
        suite.folder, "oauth-clients", "rotate-secret", client["client_id"], "--overlap", "0"
    ).stdout
    old = await web.token(client, grant_type="client_credentials")
    fresh = {**client, "client_secret": rotated.splitlines()[0].removeprefix("client_secret: ")}
    new = await web.token(fresh, grant_type="client_credentials")
    deleted = command_line(suite.folder, "oauth-clients", "delete", client["client_id"])

    assert token.status == new.status == 200
    assert old.error == "invalid_client"
    assert [client["client_id"], "Nightly", "import", "client_credentials"] in [
        line.split() for line in listed.splitlines()
    ]
    assert "is deleted" in deleted.stdout
