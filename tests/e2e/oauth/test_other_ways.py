"""Pushed requests, keys instead of secrets, the end of a login, and a foreign client library."""

import time
import uuid
from typing import Any
from urllib.parse import urlencode

import jwt
import pytest
from authlib.integrations.httpx_client import (  # type: ignore[import-untyped]
    AsyncOAuth2Client,
)
from authlib.oauth2.rfc8414 import (  # type: ignore[import-untyped]
    AuthorizationServerMetadata,
)
from authlib.oidc.discovery import OpenIDProviderMetadata  # type: ignore[import-untyped]
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from tests.support.oauth import CALLBACK, Answer, Web, made_client
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
KEY = ec.generate_private_key(ec.SECP256R1())
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def pushed(**values: str) -> dict[str, str]:
    return {
        "response_type": "code",
        "redirect_uri": CALLBACK,
        "scope": "openid",
        "state": "pushed",
        "code_challenge": challenge(),
        "code_challenge_method": "S256",
        **values,
    }


async def test_a_pushed_request_counts_once_and_nothing_else_does(
    web: Web, client: Client, grace: Person, browser: Browser
) -> None:
    answer = await web.as_client("/oauth2/par", client, **pushed())
    assert answer.status == 201, answer.text
    assert answer.json["expires_in"] == 60
    carried = {
        "client_id": client["client_id"],
        "request_uri": answer.json["request_uri"],
        "redirect_uri": "https://evil.example/cb",
        "state": "changed",
    }

    await browser.go(f"/oauth2/authorize?{urlencode(carried)}")
    await browser.sign_in(grace)
    sent = await browser.send(decision="allow")
    again = await browser.go(f"/oauth2/authorize?{urlencode(carried)}")

    assert sent.headers["Location"].startswith(CALLBACK)
    assert returned(sent)["state"] == "pushed"
    assert again.status == 400
    assert "Location" not in again.headers


async def test_what_would_be_refused_is_refused_when_it_is_pushed(web: Web, client: Client) -> None:
    bad = {
        "redirect_uri": "https://evil.example/cb",
        "code_challenge": "",
        "response_type": "token",
        "scope": "openid nonsense",
        "request_uri": "urn:ietf:params:oauth:request_uri:x",
    }
    for name, value in bad.items():
        answer = await web.as_client("/oauth2/par", client, **pushed(**{name: value}))
        assert answer.status == 400, name
        assert answer.error
    anonymous = await web.form("/oauth2/par", pushed(client_id=client["client_id"]))
    assert (anonymous.status, anonymous.error) == (401, "invalid_client")


def assertion(client: Client, url: str, **changes: Any) -> str:
    now = int(time.time())
    claims = {
        "iss": client["client_id"],
        "sub": client["client_id"],
        "aud": url,
        "jti": str(uuid.uuid4()),
        "iat": now,
        "exp": now + 60,
        **changes,
    }
    return jwt.encode(claims, KEY, algorithm="ES256")


async def proved(web: Web, text: str) -> Answer:
    values = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION}
    return await web.form("/oauth2/token", {**values, "client_assertion": text})


@pytest.fixture
async def keyed(web: Web, admin: str) -> Client:
    """A client that has a key in the place of a secret."""
    jwk = {**ECAlgorithm.to_jwk(KEY.public_key(), as_dict=True), "kid": "k1"}
    return await made_client(
        web,
        admin,
        grant_types=["client_credentials"],
        token_endpoint_auth_method="private_key_jwt",
        jwks={"keys": [jwk]},
        scope="workflows:read",
    )


async def test_a_key_proves_a_client_once_for_each_assertion(web: Web, keyed: Client) -> None:
    text = assertion(keyed, web.url)

    first, second = await proved(web, text), await proved(web, text)
    other = await proved(web, assertion(keyed, f"{web.url}/oauth2/token"))

    assert "client_secret" not in keyed
    assert first.status == other.status == 200, first.text
    assert (second.status, second.error) == (401, "invalid_client")


async def test_assertions_that_prove_nothing_are_refused(web: Web, keyed: Client) -> None:
    now = int(time.time())
    stolen = ec.generate_private_key(ec.SECP256R1())
    claims = jwt.decode(assertion(keyed, web.url), options={"verify_signature": False})
    bad = [
        assertion(keyed, "https://other.example"),
        assertion(keyed, web.url, sub="somebody"),
        assertion(keyed, web.url, exp=now - 60),
        assertion(keyed, web.url, exp=now + 86400),
        assertion(keyed, web.url, jti=""),
        jwt.encode(claims, stolen, algorithm="ES256"),
        jwt.encode(claims, "x" * 64, algorithm="HS256"),
        jwt.encode(claims, "", algorithm="none"),
        "nonsense",
    ]

    for text in bad:
        answer = await proved(web, text)
        assert (answer.status, answer.error) == (401, "invalid_client")


async def test_a_client_that_knows_the_login_ends_it_and_gets_its_user_back(
    web: Web, client: Client, grace: Person, browser: Browser
) -> None:
    code = await code_for(browser, client, grace)
    id_token = (await redeemed(web, client, code)).json["id_token"]
    values = {
        "id_token_hint": id_token,
        "post_logout_redirect_uri": "https://client.example/bye",
        "state": "out",
    }

    sent = await browser.go(f"/oauth2/logout?{urlencode(values)}")

    assert sent.headers["Location"] == "https://client.example/bye?state=out"
    assert "Max-Age=0" in sent.headers["Set-Cookie"]
    await browser.go(asked(client))
    assert browser.forms.fields["step"] == "login"


async def test_without_proof_the_user_is_asked(
    web: Web, client: Client, grace: Person, browser: Browser
) -> None:
    code = await code_for(browser, client, grace)
    token = (await redeemed(web, client, code)).json["access_token"]

    page = await browser.go("/oauth2/logout")
    assert grace.email in page.text
    forged = await browser.post("/oauth2/logout/confirm", {"csrf": "guess"})
    assert (await web.call("GET", "/oauth2/userinfo", token)).status == 200
    browser.page = page
    out = await browser.send()

    assert forged.status == 403
    assert "signed out" in out.text
    assert (await web.call("GET", "/oauth2/userinfo", token)).status == 401


async def test_offline_access_outlives_the_login(
    web: Web, client: Client, grace: Person, browser: Browser
) -> None:
    code = await code_for(browser, client, grace, scope="openid offline_access")
    tokens = (await redeemed(web, client, code)).json
    await browser.go(f"/oauth2/logout?{urlencode({'id_token_hint': tokens['id_token']})}")

    refreshed = await web.token(
        client, grant_type="refresh_token", refresh_token=tokens["refresh_token"]
    )

    assert refreshed.status == 200, refreshed.text


async def test_a_foreign_client_library_gets_along_with_it(
    web: Web, client: Client, grace: Person, browser: Browser
) -> None:
    metadata = (await web.ask("GET", "/.well-known/openid-configuration")).json
    async with AsyncOAuth2Client(
        client["client_id"],
        client["client_secret"],
        scope="openid email offline_access",
        redirect_uri=CALLBACK,
        code_challenge_method="S256",
        token_endpoint=metadata["token_endpoint"],
    ) as relying_party:
        url, state = relying_party.create_authorization_url(
            metadata["authorization_endpoint"], code_verifier=VERIFIER
        )
        await browser.go(url)
        await browser.sign_in(grace)
        sent = await browser.send(decision="allow")
        token = await relying_party.fetch_token(
            authorization_response=sent.headers["Location"], state=state, code_verifier=VERIFIER
        )
        about = await relying_party.get(metadata["userinfo_endpoint"])
        renewed = await relying_party.refresh_token(metadata["token_endpoint"])
        seen = await relying_party.introspect_token(
            metadata["introspection_endpoint"], token=renewed["access_token"]
        )
        await relying_party.revoke_token(
            metadata["revocation_endpoint"], token=renewed["refresh_token"]
        )

    assert about.json()["email"] == grace.email
    assert token["refresh_token"] != renewed["refresh_token"]
    assert seen.json()["active"] is True


async def test_the_metadata_is_what_the_specifications_want(web: Web) -> None:
    answer = await web.ask("GET", "/.well-known/openid-configuration")

    for kind in (AuthorizationServerMetadata, OpenIDProviderMetadata):
        document = {**answer.json}
        for name in list(document):
            # The library wants TLS; a loopback address has none.
            if isinstance(document[name], str):
                document[name] = document[name].replace("http://", "https://")
        kind(document).validate()
