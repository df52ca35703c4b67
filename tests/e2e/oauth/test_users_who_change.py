"""What becomes of clients' tokens when their users are deactivated, lose a role, or change their password."""

from typing import Any

from tests.support.gateway_client import eventually
from tests.support.oauth import Web, claims
from tests.support.oauth_browser import Browser, Person, asked, code_for, redeemed, returned

Client = dict[str, Any]
SCOPE = "openid offline_access executions:read"


async def status(web: Web, token: str) -> int:
    return (await web.call("GET", "/v1/executions", token)).status


async def test_a_deactivated_user_has_no_clients(
    web: Web, admin: str, client: Client, grace: Person, browser: Browser
) -> None:
    tokens = (await redeemed(web, client, await code_for(browser, client, grace, scope=SCOPE))).json
    waiting = await code_for(browser, client, grace, scope=SCOPE)
    user = claims(tokens["access_token"])["sub"]
    assert await status(web, tokens["access_token"]) == 200

    done = await web.call("POST", f"/v1/users/{user}/deactivate", admin)
    assert done.status in (200, 204), done.text

    async def dead() -> bool:
        return await status(web, tokens["access_token"]) == 401

    await eventually(dead, "the end of the access token", 1.0)
    refreshed = await web.token(
        client, grant_type="refresh_token", refresh_token=tokens["refresh_token"]
    )
    late = await redeemed(web, client, waiting)
    silent = await browser.go(asked(client, prompt="none"))
    assert refreshed.error == late.error == "invalid_grant"
    assert returned(silent)["error"] == "login_required"


async def test_a_changed_password_ends_what_clients_have(
    web: Web, client: Client, grace: Person, browser: Browser
) -> None:
    tokens = (await redeemed(web, client, await code_for(browser, client, grace, scope=SCOPE))).json
    waiting = await code_for(browser, client, grace, scope=SCOPE)
    login = {"email": grace.email, "password": grace.password}
    own = (await web.ask("POST", "/v1/auth/login", json=login)).json["access_token"]
    body = {"current_password": grace.password, "new_password": "Kettles-and-8-spoons"}
    changed = await web.call("PUT", "/v1/users/me/password", own, json=body)
    assert changed.status in (200, 204), changed.text

    async def dead() -> bool:
        return await status(web, tokens["access_token"]) == 401

    await eventually(dead, "the end of the access token", 1.0)
    assert (await redeemed(web, client, waiting)).error == "invalid_grant"
    await browser.go(asked(client))
    assert browser.forms.fields["step"] == "login"


async def test_a_role_that_is_taken_away_is_gone_from_tokens(
    web: Web, admin: str, client: Client, grace: Person, browser: Browser
) -> None:
    tokens = (await redeemed(web, client, await code_for(browser, client, grace, scope=SCOPE))).json
    user = claims(tokens["access_token"])["sub"]
    path = f"/v1/users/{user}/roles"

    taken = await web.call("PUT", path, admin, json={"roles": []})
    assert taken.status == 200, taken.text

    async def refused() -> bool:
        return await status(web, tokens["access_token"]) == 403

    await eventually(refused, "the loss of the right", 1.0)
    await web.call("PUT", path, admin, json={"roles": ["user"]})

    async def allowed() -> bool:
        return await status(web, tokens["access_token"]) == 200

    await eventually(allowed, "its return", 1.0)
