"""Devices without a browser: codes, the page, and polling."""

from typing import Any

import pytest

from tests.support.oauth import Answer, Web, made_client
from tests.support.oauth_browser import Browser, Person

GRANT = "urn:ietf:params:oauth:grant-type:device_code"
Client = dict[str, Any]


@pytest.fixture
async def device(web: Web, admin: str) -> Client:
    """A device that cannot keep a secret."""
    return await made_client(
        web,
        admin,
        client_name="Kitchen display",
        application_type="native",
        token_endpoint_auth_method="none",
        grant_types=[GRANT, "refresh_token"],
        scope="openid offline_access executions:read",
    )


async def begun(web: Web, device: Client) -> dict[str, Any]:
    answer = await web.as_client(
        "/oauth2/device_authorization", device, scope="openid executions:read"
    )
    assert answer.status == 200, answer.text
    return dict(answer.json)


async def asked_for(web: Web, device: Client, codes: dict[str, Any]) -> Answer:
    return await web.token(device, grant_type=GRANT, device_code=codes["device_code"])


async def test_a_device_waits_and_gets_what_its_user_grants(
    web: Web, device: Client, grace: Person, browser: Browser
) -> None:
    codes = await begun(web, device)
    assert (codes["interval"], codes["expires_in"]) == (5, 600)
    assert (await asked_for(web, device, codes)).error == "authorization_pending"

    page = await browser.go(codes["verification_uri_complete"])
    assert browser.forms.fields["user_code"] == codes["user_code"]
    page = await browser.send()
    assert browser.forms.fields["step"] == "login"
    page = await browser.sign_in(grace)
    assert "Kitchen display" in page.text
    page = await browser.send(decision="allow")
    assert page.status == 200
    answer = await asked_for(web, device, codes)

    assert answer.status == 200, answer.text
    assert answer.json["scope"] == "openid executions:read"
    token = answer.json["access_token"]
    assert (await web.call("GET", "/v1/executions", token)).status == 200
    assert (await asked_for(web, device, codes)).error == "invalid_grant"
    assert (await web.call("GET", "/v1/executions", token)).status == 401


async def test_a_device_that_asks_too_often_is_slowed_down(web: Web, device: Client) -> None:
    codes = await begun(web, device)

    first = await asked_for(web, device, codes)
    second = await asked_for(web, device, codes)

    assert first.error == "authorization_pending"
    assert second.error == "slow_down"


async def test_no_means_no(web: Web, device: Client, grace: Person, browser: Browser) -> None:
    codes = await begun(web, device)
    await browser.go("/oauth2/device")
    # As people type: without the dash, in lower case.
    await browser.send(user_code=codes["user_code"].replace("-", "").lower())
    await browser.sign_in(grace)
    await browser.send(decision="deny")

    assert (await asked_for(web, device, codes)).error == "access_denied"


async def test_consent_is_always_asked_for_a_device(
    web: Web, device: Client, grace: Person, browser: Browser
) -> None:
    for _ in range(2):
        codes = await begun(web, device)
        await browser.go(codes["verification_uri_complete"])
        await browser.send()
        if browser.forms.fields["step"] == "login":
            await browser.sign_in(grace)
        assert browser.forms.fields["step"] == "consent"
        await browser.send(decision="allow")


async def test_another_client_cannot_take_the_code(web: Web, admin: str, device: Client) -> None:
    codes = await begun(web, device)
    other = await made_client(
        web,
        admin,
        application_type="native",
        token_endpoint_auth_method="none",
        grant_types=[GRANT],
    )

    assert (await asked_for(web, other, codes)).error == "invalid_grant"
    assert (await asked_for(web, device, codes)).error == "authorization_pending"


async def test_wrong_codes_are_refused(browser: Browser) -> None:
    await browser.go("/oauth2/device")

    answer = await browser.send(user_code="BBBB-BBBB")

    assert answer.status == 400
    assert browser.forms.alert
