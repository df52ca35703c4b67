"""What can be done with tokens besides using them: look, revoke, ask about the user."""

from typing import Any

from tests.support.gateway_client import eventually
from tests.support.oauth import CALLBACK, Web, basic, made_client
from tests.support.oauth_browser import Browser, Person, code_for, redeemed, stranger

Client = dict[str, Any]


async def granted(
    web: Web, client: Client, person: Person, browser: Browser, scope: str = "openid offline_access"
) -> dict[str, Any]:
    answer = await redeemed(web, client, await code_for(browser, client, person, scope=scope))
    assert answer.status == 200, answer.text
    return dict(answer.json)


async def test_a_client_sees_what_its_own_tokens_are_worth(
    web: Web, client: Client, grace: Person, browser: Browser
) -> None:
    tokens = await granted(web, client, grace, browser)

    access = await web.as_client("/oauth2/introspect", client, token=tokens["access_token"])
    refresh = await web.as_client("/oauth2/introspect", client, token=tokens["refresh_token"])

    assert access.json["active"] is True
    assert access.json["username"] == grace.email
    assert access.json["client_id"] == client["client_id"]
    assert access.json["scope"] == "openid offline_access"
    assert refresh.json["active"] is True
    assert "token_type" not in refresh.json


async def test_others_learn_nothing_unless_they_are_resource_servers(
    web: Web, admin: str, client: Client, grace: Person, browser: Browser
) -> None:
    tokens = await granted(web, client, grace, browser)
    stray = await made_client(web, admin, redirect_uris=[CALLBACK])
    server = await made_client(web, admin, redirect_uris=[CALLBACK], resource_server=True)
    public = await made_client(
        web, admin, redirect_uris=[CALLBACK], token_endpoint_auth_method="none"
    )
    token = tokens["access_token"]

    hidden = await web.as_client("/oauth2/introspect", stray, token=token)
    shown = await web.as_client("/oauth2/introspect", server, token=token)
    refused = await web.as_client("/oauth2/introspect", public, token=token)
    anonymous = await web.form("/oauth2/introspect", {"token": token})
    unknown = await web.as_client("/oauth2/introspect", server, token=stranger())

    assert hidden.json == unknown.json == {"active": False}
    assert shown.json["active"] is True
    assert refused.error == anonymous.error == "invalid_client"


async def test_a_revoked_token_ends_its_whole_grant(
    web: Web, client: Client, grace: Person, browser: Browser
) -> None:
    tokens = await granted(web, client, grace, browser, "openid offline_access executions:read")

    done = await web.as_client("/oauth2/revoke", client, token=tokens["refresh_token"])
    again = await web.as_client("/oauth2/revoke", client, token=tokens["refresh_token"])
    unknown = await web.as_client("/oauth2/revoke", client, token="nonsense")

    assert (done.status, done.text) == (again.status, again.text) == (200, "")
    assert unknown.status == 200

    async def dead() -> bool:
        token = tokens["access_token"]
        return (await web.call("GET", "/v1/executions", token)).status == 401

    await eventually(dead, "the end of the access token", 1.0)
    refused = await web.token(
        client, grant_type="refresh_token", refresh_token=tokens["refresh_token"]
    )
    assert refused.error == "invalid_grant"


async def test_nobody_revokes_what_is_anothers(
    web: Web, admin: str, client: Client, grace: Person, browser: Browser
) -> None:
    tokens = await granted(web, client, grace, browser)
    stray = await made_client(web, admin, redirect_uris=[CALLBACK])

    refused = await web.as_client("/oauth2/revoke", stray, token=tokens["access_token"])

    assert refused.status == 400
    about = await web.call("GET", "/oauth2/userinfo", tokens["access_token"])
    assert about.status == 200


async def test_a_machine_that_revokes_its_token_can_get_another(web: Web, admin: str) -> None:
    machine = await made_client(
        web, admin, grant_types=["client_credentials"], scope="workflows:read"
    )
    first = (await web.token(machine, grant_type="client_credentials")).json["access_token"]

    await web.as_client("/oauth2/revoke", machine, token=first)
    second = (await web.token(machine, grant_type="client_credentials")).json["access_token"]

    async def dead() -> bool:
        return (await web.call("GET", "/v1/workflows", first)).status == 401

    await eventually(dead, "the end of the first token", 1.0)
    assert (await web.call("GET", "/v1/workflows", second)).status == 200


async def test_userinfo_says_as_much_as_the_scope_and_refuses_in_the_header(
    web: Web, admin: str, client: Client, grace: Person, browser: Browser
) -> None:
    tokens = await granted(web, client, grace, browser, "openid")
    machine = await made_client(
        web, admin, grant_types=["client_credentials"], scope="workflows:read"
    )
    own = (await web.token(machine, grant_type="client_credentials")).json["access_token"]

    about = await web.call("POST", "/oauth2/userinfo", tokens["access_token"])
    nobody = await web.ask("GET", "/oauth2/userinfo")
    broken = await web.call("GET", "/oauth2/userinfo", "nonsense")
    narrow = await web.call("GET", "/oauth2/userinfo", own)

    assert set(about.json) == {"sub"}
    assert (nobody.status, nobody.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert broken.status == 401
    assert 'error="invalid_token"' in broken.headers["WWW-Authenticate"]
    assert narrow.status == 403
    assert 'error="insufficient_scope"' in narrow.headers["WWW-Authenticate"]


async def test_a_token_of_a_client_is_not_the_users_own(
    web: Web, client: Client, grace: Person, browser: Browser
) -> None:
    tokens = await granted(web, client, grace, browser, "openid workflows:read")

    assert (await web.call("GET", "/v1/users/me", tokens["access_token"])).status == 403
    assert (await web.call("GET", "/v1/workflows", tokens["id_token"])).status == 401
    assert (await web.call("GET", "/v1/workflows", tokens["access_token"])).status == 200
    assert basic(client)
