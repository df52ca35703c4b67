"""Clients are made, changed, re-keyed and deleted by administrators, and act for themselves."""

from typing import Any

from tests.support.gateway_client import Person, eventually
from tests.support.oauth import Answer, Web, claims, made_client

MACHINE: dict[str, Any] = {
    "grant_types": ["client_credentials"],
    "scope": "workflows:read executions:read executions:write",
}


async def credentials(web: Web, client: dict[str, Any], **values: str) -> Answer:
    return await web.token(client, grant_type="client_credentials", **values)


async def test_a_machine_gets_a_token_that_opens_what_its_scope_says(web: Web, admin: str) -> None:
    client = await made_client(web, admin, **MACHINE)

    answer = await credentials(web, client, scope="workflows:read")

    assert answer.status == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert set(answer.json) == {"access_token", "token_type", "expires_in", "scope"}
    assert answer.json["scope"] == "workflows:read"
    token = answer.json["access_token"]
    said = claims(token)
    assert said["client_id"] == client["client_id"]
    assert said["sub"] == client["service_account_id"]
    assert (await web.call("GET", "/v1/workflows", token)).status == 200
    assert (await web.call("GET", "/v1/executions", token)).status == 403


async def test_an_account_cannot_do_more_than_its_roles(web: Web, admin: str) -> None:
    client = await made_client(
        web, admin, grant_types=["client_credentials"], scope="workflows:read users:write"
    )

    answer = await credentials(web, client)

    assert answer.json["scope"] == "workflows:read"


async def test_what_is_not_registered_is_refused(web: Web, admin: str) -> None:
    client = await made_client(web, admin, **MACHINE)

    beyond = await credentials(web, client, scope="secrets:write")
    other = await web.token(client, grant_type="authorization_code", code="x")

    assert (beyond.status, beyond.error) == (400, "invalid_scope")
    assert (other.status, other.error) == (400, "unauthorized_client")


async def test_a_wrong_secret_and_an_unknown_client_are_the_same(web: Web, admin: str) -> None:
    client = await made_client(web, admin, **MACHINE)

    wrong = await credentials(web, {**client, "client_secret": "guess"})
    unknown = await credentials(web, {"client_id": "nobody", "client_secret": "guess"})

    assert wrong.status == unknown.status == 401
    assert wrong.json == unknown.json
    assert wrong.error == "invalid_client"
    assert wrong.headers["WWW-Authenticate"].startswith("Basic")


async def test_a_secret_counts_in_the_header_and_in_the_form_and_without_one_nothing(
    web: Web, admin: str
) -> None:
    client = await made_client(web, admin, **MACHINE)
    values = {"grant_type": "client_credentials", "client_id": client["client_id"]}

    posted = await web.form("/oauth2/token", {**values, "client_secret": client["client_secret"]})
    wrong = await web.form("/oauth2/token", {**values, "client_secret": "not-it"})
    bare = await web.form("/oauth2/token", values)

    assert posted.status == 200, posted.text
    assert (wrong.status, wrong.error) == (401, "invalid_client")
    assert (bare.status, bare.error) == (401, "invalid_client")


async def test_two_secrets_count_while_one_is_rolled_out(web: Web, admin: str) -> None:
    client = await made_client(web, admin, **MACHINE)
    path = f"/v1/oauth-clients/{client['client_id']}/rotate-secret"

    rotated = await web.call("POST", path, admin)
    renewed = {**client, "client_secret": rotated.json["client_secret"]}
    assert (await credentials(web, client)).status == 200
    assert (await credentials(web, renewed)).status == 200
    third = await web.call("POST", path, admin, json={"overlap_seconds": 0})

    assert (await credentials(web, client)).status == 401
    assert (await credentials(web, renewed)).status == 401
    latest = {**client, "client_secret": third.json["client_secret"]}
    assert (await credentials(web, latest)).status == 200


async def test_a_deleted_client_is_nobody_and_its_tokens_are_dead(web: Web, admin: str) -> None:
    client = await made_client(web, admin, **MACHINE)
    token = (await credentials(web, client)).json["access_token"]
    assert (await web.call("GET", "/v1/workflows", token)).status == 200

    deleted = await web.call("DELETE", f"/v1/oauth-clients/{client['client_id']}", admin)

    assert deleted.status == 204
    assert (await credentials(web, client)).error == "invalid_client"

    async def dead() -> bool:
        return (await web.call("GET", "/v1/workflows", token)).status == 401

    await eventually(dead, "the end of the client's token", 1.0)


async def test_metadata_is_kept_and_can_be_replaced(web: Web, admin: str) -> None:
    made = await made_client(
        web, admin, redirect_uris=["https://a.example/cb"], scope="openid email"
    )
    path = f"/v1/oauth-clients/{made['client_id']}"
    kept = await web.call("GET", path, admin)
    assert kept.json == {name: value for name, value in made.items() if name != "client_secret"}

    changed = await web.call(
        "PUT", path, admin, json={"client_name": "New", "redirect_uris": ["https://b.example/cb"]}
    )

    assert changed.json["redirect_uris"] == ["https://b.example/cb"]
    assert changed.json["scope"] == "openid"
    listed = await web.call("GET", "/v1/oauth-clients?limit=200", admin)
    assert changed.json in listed.json["items"]


async def test_wrong_metadata_is_named(web: Web, admin: str) -> None:
    answer = await web.call(
        "POST",
        "/v1/oauth-clients",
        admin,
        json={
            "client_name": "",
            "redirect_uris": ["http://evil.example/cb", "https://x.example/#f"],
            "scope": "openid nonsense:all",
            "token_endpoint_auth_method": "private_key_jwt",
        },
    )
    fetched = await web.call(
        "POST",
        "/v1/oauth-clients",
        admin,
        json={"client_name": "x", "jwks_uri": "http://10.0.0.1/"},
    )

    assert answer.status == 422
    assert {each["field"] for each in answer.json["error"]["details"]} == {
        "client_name", "redirect_uris[0]", "redirect_uris[1]", "scope", "jwks",
    }  # fmt: skip
    assert fetched.json["error"]["details"][0]["field"] == "jwks_uri"


async def test_users_may_not_manage_clients(web: Web, ada: Person) -> None:
    tokens = await web.ask(
        "POST", "/v1/auth/login", json={"email": ada.email, "password": "Teapots-and-7-cups"}
    )

    refused = await web.call("GET", "/v1/oauth-clients", tokens.json["access_token"])

    assert refused.status == 403


async def test_old_grants_do_not_exist(web: Web, admin: str) -> None:
    client = await made_client(web, admin, **MACHINE)

    answer = await web.token(client, grant_type="password", username="a", password="b")
    nonsense = await web.token(client, grant_type="nonsense")
    registered = await web.call(
        "POST", "/v1/oauth-clients", admin, json={"client_name": "x", "grant_types": ["password"]}
    )

    assert (answer.status, answer.error) == (400, "unsupported_grant_type")
    assert (nonsense.status, nonsense.error) == (400, "unsupported_grant_type")
    assert registered.status == 422


async def test_what_is_no_form_is_refused_in_the_words_of_oauth(web: Web) -> None:
    as_json = await web.ask("POST", "/oauth2/token", json={"grant_type": "client_credentials"})
    empty = await web.ask("POST", "/oauth2/token")
    twice = await web.ask(
        "POST",
        "/oauth2/token",
        data="grant_type=password&grant_type=client_credentials",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )

    for answer in (as_json, empty, twice):
        assert (answer.status, answer.error) == (400, "invalid_request")


async def test_discovery_describes_this_server(web: Web) -> None:
    for name in ("openid-configuration", "oauth-authorization-server"):
        answer = await web.ask("GET", f"/.well-known/{name}")
        assert answer.json["issuer"] == web.url
        assert answer.json["code_challenge_methods_supported"] == ["S256"]
        assert "password" not in answer.json["grant_types_supported"]
    keys = await web.ask("GET", "/.well-known/jwks.json")
    assert {key["alg"] for key in keys.json["keys"]} == {"ES256", "RS256"}
