"""Attacks 6 and 7: codes and refresh tokens used again, by others, at once, and after a crash."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any

from tests.support.gateway_client import eventually
from tests.support.oauth import CALLBACK, Answer, Web, administrator, made_client
from tests.support.oauth import web as requests
from tests.support.oauth_browser import Browser, Person, code_for, redeemed
from tests.support.suite import started

Client = dict[str, Any]
MANY = 50
SCOPE = "openid offline_access executions:read"


async def refreshed(web: Web, client: Client, token: str) -> Answer:
    return await web.token(client, grant_type="refresh_token", refresh_token=token)


async def at_once(ask: Callable[[], Coroutine[Any, Any, Answer]]) -> list[Answer]:
    return list(await asyncio.gather(*(ask() for _ in range(MANY))))


def one_at_most(answers: list[Answer]) -> Answer:
    good = [answer for answer in answers if answer.status == 200]
    assert len(good) == 1, len(good)
    assert {answer.error for answer in answers if answer.status != 200} == {"invalid_grant"}
    return good[0]


async def must_die(web: Web, token: str) -> None:
    async def dead() -> bool:
        return (await web.call("GET", "/v1/executions", token)).status == 401

    await eventually(dead, "the end of the access token", 2.0)


async def test_one_of_fifty_uses_of_a_code_succeeds_and_then_nothing_is_left(
    web: Web, client: Client, grace: Person, browser: Browser
) -> None:
    for _ in range(3):
        code = await code_for(browser, client, grace, scope=SCOPE)

        good = one_at_most(await at_once(partial(redeemed, web, client, code)))

        await must_die(web, good.json["access_token"])
        again = await refreshed(web, client, good.json["refresh_token"])
        assert again.error == "invalid_grant"


async def test_a_code_is_for_its_client_and_its_address(
    web: Web, admin: str, client: Client, grace: Person, browser: Browser
) -> None:
    other = await made_client(web, admin, redirect_uris=[CALLBACK])
    code = await code_for(browser, client, grace)

    stolen = await redeemed(web, other, code)
    elsewhere = await redeemed(web, client, code, redirect_uri="https://client.example/other")
    nowhere = await redeemed(web, client, code, redirect_uri="")
    good = await redeemed(web, client, code)

    assert stolen.error == elsewhere.error == nowhere.error == "invalid_grant"
    assert good.status == 200


async def test_a_second_use_ends_what_the_first_one_got(
    web: Web, client: Client, grace: Person, browser: Browser
) -> None:
    code = await code_for(browser, client, grace, scope=SCOPE)
    good = await redeemed(web, client, code)
    token = good.json["access_token"]
    assert (await web.call("GET", "/v1/executions", token)).status == 200

    # The thief has no verifier, but that they have the code is enough.
    again = await redeemed(web, client, code, code_verifier="e" * 43)

    assert again.error == "invalid_grant"
    await must_die(web, token)


async def test_one_of_fifty_refreshes_succeeds_and_the_family_dies(
    web: Web, client: Client, grace: Person, browser: Browser
) -> None:
    for _ in range(3):
        code = await code_for(browser, client, grace, scope=SCOPE)
        first = (await redeemed(web, client, code)).json
        token = first["refresh_token"]

        good = one_at_most(await at_once(partial(refreshed, web, client, token)))

        await must_die(web, good.json["access_token"])
        await must_die(web, first["access_token"])
        assert (await refreshed(web, client, good.json["refresh_token"])).error == "invalid_grant"


async def test_an_old_generation_ends_the_family(
    web: Web, client: Client, grace: Person, browser: Browser
) -> None:
    code = await code_for(browser, client, grace, scope=SCOPE)
    first = (await redeemed(web, client, code)).json["refresh_token"]
    second = (await refreshed(web, client, first)).json["refresh_token"]
    third = (await refreshed(web, client, second)).json

    assert (await refreshed(web, client, first)).error == "invalid_grant"
    assert (await refreshed(web, client, third["refresh_token"])).error == "invalid_grant"
    await must_die(web, third["access_token"])


async def test_a_refresh_token_in_the_hands_of_another_client_ends_the_family(
    web: Web, admin: str, client: Client, grace: Person, browser: Browser
) -> None:
    thief = await made_client(
        web, admin, redirect_uris=[CALLBACK], grant_types=["authorization_code", "refresh_token"]
    )
    code = await code_for(browser, client, grace, scope=SCOPE)
    tokens = (await redeemed(web, client, code)).json

    stolen = await refreshed(web, thief, tokens["refresh_token"])

    assert stolen.error == "invalid_grant"
    assert (await refreshed(web, client, tokens["refresh_token"])).error == "invalid_grant"
    await must_die(web, tokens["access_token"])


async def test_a_crash_makes_nothing_good_again(tmp_path: Path) -> None:
    person = Person("grace@example.com", "Teapots-and-7-cups")
    with started(tmp_path) as suite:
        async with requests(suite) as web:
            client = await made_client(
                web,
                await administrator(suite, web),
                redirect_uris=[CALLBACK],
                grant_types=["authorization_code", "refresh_token"],
                scope=SCOPE,
            )
            body = {"email": person.email, "password": person.password}
            await web.ask("POST", "/v1/auth/register", json=body)
            browser = Browser(web)
            code = await code_for(browser, client, person, scope=SCOPE)
            fresh = await code_for(browser, client, person, scope=SCOPE)
            first = (await redeemed(web, client, code)).json
            second = (await refreshed(web, client, first["refresh_token"])).json
        suite.kill()
    with started(tmp_path) as suite:
        async with requests(suite) as web:
            assert (await redeemed(web, client, fresh)).status == 200
            third = (await refreshed(web, client, second["refresh_token"])).json
            assert "refresh_token" in third

            assert (await refreshed(web, client, first["refresh_token"])).error == "invalid_grant"
            assert (await redeemed(web, client, code)).error == "invalid_grant"
            assert (await refreshed(web, client, third["refresh_token"])).error == "invalid_grant"
            await must_die(web, third["access_token"])
