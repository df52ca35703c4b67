"""The authorization code flow: request, login, consent, code, tokens; and what comes of them."""

from typing import Any

import jwt

from tests.support.gateway_client import eventually
from tests.support.oauth import CALLBACK, Web, claims, made_client
from tests.support.oauth_browser import (
    Browser,
    Person,
    asked,
    code_for,
    redeemed,
    returned,
)

Client = dict[str, Any]


async def verified(web: Web, id_token: str, client: Client) -> dict[str, Any]:
    """What an ID token says, proved by the published keys."""
    keys = (await web.ask("GET", "/.well-known/jwks.json")).json
    kid = jwt.get_unverified_header(id_token)["kid"]
    key = next(jwt.PyJWK(each) for each in keys["keys"] if each["kid"] == kid)
    return jwt.decode(
        id_token, key, algorithms=[key.algorithm_name], audience=client["client_id"], issuer=web.url
    )


async def test_a_user_logs_in_agrees_and_the_client_gets_tokens(
    web: Web, client: Client, grace: Person, browser: Browser
) -> None:
    page = await browser.go(asked(client, scope="openid profile email executions:read"))
    assert (page.status, browser.forms.fields["step"]) == (200, "login")
    assert client["client_name"] in page.text
    page = await browser.sign_in(grace)
    assert browser.forms.fields["step"] == "consent"
    assert "See executions of workflows" in page.text
    sent = await browser.send(decision="allow")
    back = returned(sent)
    assert sent.headers["Location"].startswith(CALLBACK + "?")
    assert (back["state"], back["iss"]) == ("s-1", web.url)

    answer = await redeemed(web, client, back["code"])

    assert answer.status == 200, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json["scope"] == "openid profile email executions:read"
    said = await verified(web, answer.json["id_token"], client)
    assert said["nonce"] == "n-1"
    assert said["acr"] == "aal1"
    assert said["amr"] == ["pwd"]
    token = answer.json["access_token"]
    assert said["sub"] == claims(token)["sub"]
    assert (await web.call("GET", "/v1/executions", token)).status == 200
    assert (await web.call("GET", "/v1/workflows", token)).status == 403
    about = await web.call("GET", "/oauth2/userinfo", token)
    assert about.json["email"] == grace.email
    assert about.json["name"] == "Grace Hopper"
    assert about.json["sub"] == said["sub"]


async def test_consent_is_remembered_and_silence_is_possible(
    web: Web, client: Client, grace: Person, browser: Browser
) -> None:
    await code_for(browser, client, grace)

    again = await browser.go(asked(client))
    silent = await browser.go(asked(client, prompt="none"))
    more = await browser.go(asked(client, prompt="none", scope="openid email"))
    forced = await browser.go(asked(client, prompt="consent"))

    assert "code" in returned(again)
    assert "code" in returned(silent)
    assert returned(more)["error"] == "consent_required"
    assert forced.status == 200
    assert browser.forms.fields["step"] == "consent"


async def test_without_a_login_silence_says_so(client: Client, browser: Browser) -> None:
    answer = await browser.go(asked(client, prompt="none"))

    assert returned(answer)["error"] == "login_required"
    assert returned(answer)["state"] == "s-1"


async def test_no_means_access_denied(client: Client, grace: Person, browser: Browser) -> None:
    await browser.go(asked(client))
    await browser.sign_in(grace)

    answer = await browser.send(decision="deny")

    assert returned(answer)["error"] == "access_denied"
    assert "code" not in returned(answer)


async def test_prompt_and_max_age_ask_for_the_password_again(
    client: Client, grace: Person, browser: Browser
) -> None:
    await code_for(browser, client, grace)

    for parameters in ({"prompt": "login"}, {"max_age": "0"}, {"prompt": "select_account"}):
        await browser.go(asked(client, **parameters))
        assert browser.forms.fields["step"] == "login"
        assert "code" in returned(await browser.sign_in(grace))
    relaxed = await browser.go(asked(client, max_age="3600"))
    assert "code" in returned(relaxed)


async def test_a_hint_fills_the_field_and_an_id_token_binds_the_user(
    web: Web, client: Client, grace: Person, browser: Browser
) -> None:
    await browser.go(asked(client, login_hint="somebody@example.com"))
    assert browser.forms.fields["email"] == "somebody@example.com"
    code = await code_for(browser, client, grace)
    id_token = (await redeemed(web, client, code)).json["id_token"]

    same = await browser.go(asked(client, prompt="none", id_token_hint=id_token))
    forged = await browser.go(
        asked(client, prompt="none", id_token_hint=id_token[:-8] + "AAAAAAAA")
    )

    assert "code" in returned(same)
    assert returned(forged)["error"] == "invalid_request"


async def test_a_native_application_uses_any_port_of_its_loopback_address(
    web: Web, admin: str, grace: Person, browser: Browser
) -> None:
    native = await made_client(
        web,
        admin,
        application_type="native",
        token_endpoint_auth_method="none",
        redirect_uris=["http://127.0.0.1/cb", "com.example.app:/cb"],
        id_token_signed_response_alg="ES256",
    )
    where = "http://127.0.0.1:49152/cb"

    code = await code_for(browser, native, grace, redirect_uri=where)
    answer = await redeemed(web, native, code, redirect_uri=where)

    assert answer.status == 200, answer.text
    assert jwt.get_unverified_header(answer.json["id_token"])["alg"] == "ES256"
    assert "client_secret" not in native


async def test_a_refresh_token_rotates_and_may_ask_for_less(
    web: Web, client: Client, grace: Person, browser: Browser
) -> None:
    code = await code_for(browser, client, grace, scope="openid offline_access executions:read")
    first = (await redeemed(web, client, code)).json

    second = await web.token(
        client, grant_type="refresh_token", refresh_token=first["refresh_token"], scope="openid"
    )
    beyond = await web.token(
        client,
        grant_type="refresh_token",
        refresh_token=second.json["refresh_token"],
        scope="openid email",
    )
    third = await web.token(
        client, grant_type="refresh_token", refresh_token=second.json["refresh_token"]
    )

    assert second.json["scope"] == "openid"
    assert beyond.error == "invalid_scope"
    assert third.json["scope"] == "openid offline_access executions:read"
    assert "nonce" not in claims(third.json["id_token"])
    assert claims(third.json["id_token"])["auth_time"] == claims(first["id_token"])["auth_time"]


async def test_the_first_partys_refresh_endpoint_knows_no_tokens_of_clients(
    web: Web, client: Client, grace: Person, browser: Browser
) -> None:
    code = await code_for(browser, client, grace, scope="openid offline_access")
    token = (await redeemed(web, client, code)).json["refresh_token"]

    refused = await web.ask("POST", "/v1/auth/refresh", json={"refresh_token": token})

    assert refused.status == 401


async def test_a_withdrawn_consent_ends_the_tokens(
    web: Web, client: Client, grace: Person, browser: Browser
) -> None:
    code = await code_for(browser, client, grace, scope="openid executions:read")
    token = (await redeemed(web, client, code)).json["access_token"]
    login = {"email": grace.email, "password": grace.password}
    own = (await web.ask("POST", "/v1/auth/login", json=login)).json["access_token"]
    [given] = (await web.call("GET", "/v1/users/me/consents", own)).json["items"]
    assert given["scope"] == "executions:read openid"

    path = f"/v1/users/me/consents/{client['client_id']}"
    assert (await web.call("DELETE", path, own)).status == 204
    assert (await web.call("DELETE", path, own)).status == 404

    async def dead() -> bool:
        return (await web.call("GET", "/v1/executions", token)).status == 401

    await eventually(dead, "the end of the token", 1.0)
    await browser.go(asked(client, scope="openid executions:read"))
    assert browser.forms.fields["step"] == "consent"


async def test_a_client_of_the_house_asks_nobody(
    web: Web, admin: str, grace: Person, browser: Browser
) -> None:
    house = await made_client(web, admin, redirect_uris=[CALLBACK], first_party=True)

    await browser.go(asked(house))
    answer = await browser.sign_in(grace)

    assert "code" in returned(answer)


async def test_a_wrong_password_is_told_on_the_page(
    client: Client, grace: Person, browser: Browser
) -> None:
    await browser.go(asked(client))

    answer = await browser.send(email=grace.email, password="wrong")

    assert answer.status == 401
    assert browser.forms.alert
    assert browser.forms.fields["email"] == grace.email
    assert browser.forms.fields["password"] == ""
    assert (await browser.sign_in(grace)).status == 200
