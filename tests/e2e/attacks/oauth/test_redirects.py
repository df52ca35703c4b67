"""Attacks 8, 9 and 10: codes sent elsewhere, proofs left out, grants that are not there."""

import asyncio
from typing import Any
from urllib.parse import urlencode

from tests.e2e.attacks.oauth.redirects import REGISTERED, redirects
from tests.support.oauth import Answer, Web, made_client
from tests.support.oauth_browser import (
    VERIFIER,
    Browser,
    Person,
    asked,
    challenge,
    code_for,
    redeemed,
    returned,
)

Client = dict[str, Any]


async def all_answers(web: Web, paths: list[str]) -> list[Answer]:
    answers: list[Answer] = []
    for first in range(0, len(paths), 16):
        part = paths[first : first + 16]
        answers += await asyncio.gather(*(web.ask("GET", path) for path in part))
    return answers


def must_stay(answers: list[Answer], what: list[str]) -> None:
    """Each was answered by a page, and sends the browser nowhere."""
    for answer, tried in zip(answers, what, strict=True):
        assert answer.status == 400, (tried, answer.status)
        assert "Location" not in answer.headers, tried


async def test_no_address_but_the_registered_one_is_ever_redirected_to(
    web: Web, client: Client
) -> None:
    tried = redirects()
    assert len(tried) >= 240
    good = await web.ask("GET", asked(client))
    native = await web.ask("GET", asked(client, response_type="nonsense"))

    must_stay(await all_answers(web, [asked(client, redirect_uri=uri) for uri in tried]), tried)
    # Neither without state, nor with an error to tell, nor silently.
    for extra in ({"state": ""}, {"response_type": "token"}, {"prompt": "none"}):
        few = tried[:: 1 + len(tried) // 60]
        paths = [asked(client, redirect_uri=uri, **extra) for uri in few]
        must_stay(await all_answers(web, paths), few)

    assert good.status == 303
    assert native.headers["Location"].startswith(REGISTERED)


async def test_a_missing_or_repeated_address_is_no_redirect(web: Web, client: Client) -> None:
    missing = asked(client, redirect_uri="")
    twice = asked(client) + "&" + urlencode({"redirect_uri": "https://evil.example/"})
    same_twice = asked(client) + "&" + urlencode({"redirect_uri": REGISTERED})
    unknown = asked({"client_id": "nobody"})
    foreign = asked(client) + "&client_id=other"
    tried = [missing, twice, same_twice, unknown, foreign]

    must_stay(await all_answers(web, tried), tried)


async def test_a_login_ends_at_registered_addresses_only(
    web: Web, client: Client, grace: Person, browser: Browser
) -> None:
    code = await code_for(browser, client, grace)
    hint = (await redeemed(web, client, code)).json["id_token"]
    tried = [uri.replace("/callback", "/bye") for uri in redirects()][::3]
    tried = [uri for uri in tried if uri != "https://client.example/bye"]

    def path(uri: str) -> str:
        return "/oauth2/logout?" + urlencode(
            {"id_token_hint": hint, "post_logout_redirect_uri": uri}
        )

    must_stay(await all_answers(web, [path(uri) for uri in tried]), tried)
    good = await browser.go(path("https://client.example/bye"))
    assert good.headers["Location"] == "https://client.example/bye"


async def test_the_port_is_free_for_native_loopback_addresses_alone(web: Web, admin: str) -> None:
    common = {"redirect_uris": ["http://127.0.0.1/cb", "https://client.example/callback"]}
    native = await made_client(web, admin, application_type="native", **common)
    site = await made_client(web, admin, application_type="web", **common)

    assert (await web.ask("GET", asked(native, redirect_uri="http://127.0.0.1:7/cb"))).status == 303
    tried = [
        asked(site, redirect_uri="http://127.0.0.1:7/cb"),
        asked(native, redirect_uri="http://127.0.0.1:70000/cb"),
        asked(native, redirect_uri="http://127.0.0.1:7/other"),
        asked(native, redirect_uri="http://localhost:7/cb"),
        asked(native, redirect_uri="http://127.0.0.1:7@evil.example/cb"),
        asked(native, redirect_uri="https://client.example:7/callback"),
    ]
    must_stay(await all_answers(web, tried), tried)


async def test_nobody_begins_without_a_proof_key(web: Web, client: Client) -> None:
    bad = [
        {"code_challenge": ""},
        {"code_challenge": "", "code_challenge_method": ""},
        {"code_challenge_method": "plain"},
        {"code_challenge_method": ""},
        {"code_challenge_method": "s256"},
        {"code_challenge": "short"},
        {"code_challenge": "a" * 129},
    ]
    for parameters in bad:
        answer = await web.ask("GET", asked(client, **parameters))
        assert returned(answer)["error"] == "invalid_request", parameters
        assert "code" not in returned(answer)
    assert (await web.ask("GET", asked(client))).headers["Location"].startswith(web.url)


async def test_a_code_wants_the_verifier_of_its_own_challenge(
    web: Web, client: Client, grace: Person, browser: Browser
) -> None:
    long = "w" * 128
    code = await code_for(browser, client, grace)
    for verifier in ("", "short", "v" * 42, "v" * 129, "w" * 43, challenge(), VERIFIER + " "):
        answer = await redeemed(web, client, code, code_verifier=verifier)
        assert (answer.status, answer.error) == (400, "invalid_grant"), verifier
    assert (await redeemed(web, client, code)).status == 200

    # The same challenge again is another code, and the old verifier of another challenge none.
    other = await code_for(browser, client, grace, code_challenge=challenge(long))
    assert (await redeemed(web, client, other)).error == "invalid_grant"
    assert (await redeemed(web, client, other, code_verifier=long)).status == 200


async def test_old_grants_are_not_there(web: Web, client: Client, grace: Person) -> None:
    for kind in ("token", "id_token", "id_token token", "code token", "code id_token", "none", "x"):
        answer = await web.ask("GET", asked(client, response_type=kind))
        assert returned(answer)["error"] == "unsupported_response_type", kind
        assert "access_token" not in answer.headers["Location"]
    values = {"username": grace.email, "password": grace.password}
    password = await web.token(client, grant_type="password", **values)
    assert (password.status, password.error) == (400, "unsupported_grant_type")


async def test_nothing_that_a_later_step_sends_changes_the_request(
    web: Web, client: Client, grace: Person, browser: Browser
) -> None:
    changed = {
        "response_type": "token",
        "redirect_uri": "https://evil.example/cb",
        "scope": "openid email executions:read",
        "state": "evil",
        "code_challenge": challenge("e" * 43),
        "client_id": "evil",
    }
    await browser.go(asked(client, scope="openid"))
    await browser.sign_in(grace)
    form = browser.forms
    sent = await browser.post(form.action, {**form.fields, "decision": "allow", **changed})

    back = returned(sent)
    assert sent.headers["Location"].startswith(REGISTERED)
    assert back["state"] == "s-1"
    answer = await redeemed(web, client, back["code"])
    assert answer.json["scope"] == "openid"
