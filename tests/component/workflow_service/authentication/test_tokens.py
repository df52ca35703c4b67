"""Tokens from a real authority, for a service that wants them."""

from __future__ import annotations

import asyncio
from typing import Any

import jwt
import msgspec
import pytest

from tests.component.workflow_service.authentication.conftest import Out
from tests.support.authority import CLIENT, EXCHANGE, SECRET, Authority
from workflow_service.adapters.egress import EgressRefused
from workflow_service.domain.execution.credential_reading import read_credentials
from workflow_service.domain.execution.credentials import (
    Credentials,
    OAuthCredentials,
    SecretCredentials,
)
from workflow_service.domain.execution.problem import ERRORS
from workflow_service.domain.expressions import JsonValue


def credentials(authority: Authority, scheme: Any = "oauth2", /, **members: Any) -> Credentials:
    """A policy for *authority*, as a workflow writes it."""
    whole = {
        "authority": authority.url,
        "grant": "client_credentials",
        "client": {"id": CLIENT, "secret": SECRET},
    }
    return read_credentials(scheme, whole | members)


GRANTS: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "client_credentials": ({}, {}),
    "password": (
        {"username": "ada", "password": "lovelace"},
        {"username": "ada", "password": "lovelace"},
    ),
    "refresh_token": (
        {"subject": {"token": "first", "type": "refresh_token"}},
        {"refresh_token": "first"},
    ),
    "authorization_code": ({"subject": {"token": "c0de", "type": "code"}}, {"code": "c0de"}),
    EXCHANGE: (
        {
            "subject": {"token": "somebody's", "type": "access_token"},
            "actor": {"token": "mine", "type": "urn:ietf:params:oauth:token-type:jwt"},
        },
        {
            "subject_token": "somebody's",
            "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
            "actor_token": "mine",
            "actor_token_type": "urn:ietf:params:oauth:token-type:jwt",
        },
    ),
}


@pytest.mark.parametrize("grant", GRANTS)
@pytest.mark.parametrize("encoding", ["application/x-www-form-urlencoded", "application/json"])
async def test_every_grant_gets_a_token_that_opens_the_service(
    out: Out, authority: Authority, grant: str, encoding: str
) -> None:
    authority.refreshable.add("first")
    members, sent = GRANTS[grant]
    policy = credentials(
        authority, grant=grant, request={"encoding": encoding},
        scopes=["api", "read"], audiences=["runtime"], **members,
    )  # fmt: skip

    response = await out.get(f"{authority.url}/service", policy)

    assert response.status == 200
    assert authority.media_types == [encoding]
    assert authority.asked[0] == {
        "grant_type": grant, "scope": "api read", "audience": "runtime", "client_id": CLIENT,
        "client_secret": SECRET, **sent,
    }  # fmt: skip


@pytest.mark.parametrize(
    "method",
    ["client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "none"],
)
async def test_a_client_proves_who_it_is_as_it_was_agreed(
    out: Out, authority: Authority, method: str
) -> None:
    authority.method = method
    client = {"id": CLIENT, "authentication": method}
    if method != "none":
        client["secret"] = authority.pem if method == "private_key_jwt" else SECRET

    response = await out.get(f"{authority.url}/service", credentials(authority, client=client))

    assert response.status == 200
    assert len(authority.asked) == 1


async def test_an_assertion_of_the_author_is_used_as_it_is(out: Out, authority: Authority) -> None:
    authority.method = "private_key_jwt"
    claims = {
        "iss": CLIENT, "sub": CLIENT, "aud": f"{authority.url}/oauth2/token", "jti": "1",
        "exp": 4_000_000_000,
    }  # fmt: skip
    assertion = jwt.encode(claims, authority.key, algorithm="ES256")
    client = {"id": CLIENT, "authentication": "private_key_jwt", "assertion": assertion}

    await out.get(f"{authority.url}/service", credentials(authority, client=client))

    assert authority.asked[0]["client_assertion"] == assertion


async def test_the_endpoint_is_relative_to_the_authority(out: Out, authority: Authority) -> None:
    policy = credentials(
        authority, authority=f"{authority.url}/realm/", endpoints={"token": "/auth/token"}
    )

    assert (await out.get(f"{authority.url}/service", policy)).status == 200


async def test_several_audiences_are_asked_for_one_by_one(out: Out, authority: Authority) -> None:
    await out.get(f"{authority.url}/service", credentials(authority, audiences=["a", "b"]))

    assert authority.asked[0]["audience"] == "a,b"


async def test_a_token_is_used_until_shortly_before_it_expires(
    out: Out, authority: Authority
) -> None:
    policy, url = credentials(authority), f"{authority.url}/service"
    began = out.now

    for seconds, had in ((0, 1), (269, 1), (271, 2), (500, 2), (600, 3)):
        out.now = began + seconds
        await out.get(url, policy)
        assert len(authority.asked) == had, seconds


async def test_many_calls_at_once_ask_once(out: Out, authority: Authority) -> None:
    policy, url = credentials(authority), f"{authority.url}/service"

    await asyncio.gather(*(out.get(url, policy) for _ in range(20)))

    assert len(authority.asked) == 1
    assert len(set(authority.called)) == 1


async def test_no_token_is_shared_between_tenants_or_policies(
    out: Out, authority: Authority
) -> None:
    url = f"{authority.url}/service"

    for tenant, scopes in (("a", ["x"]), ("b", ["x"]), ("a", ["y"]), ("a", ["x"])):
        await out.get(url, credentials(authority, scopes=scopes), tenant)

    assert len(authority.asked) == 3
    assert len(set(authority.called)) == 3


async def test_a_token_that_is_not_accepted_any_more_is_replaced_once(
    out: Out, authority: Authority
) -> None:
    policy = credentials(authority, endpoints={"revocation": "/oauth2/revoke"})
    url = f"{authority.url}/service"
    await out.get(url, policy)
    old = authority.called[0].removeprefix("Bearer ")
    authority.good.clear()
    out.now += 1

    response = await out.get(url, policy)

    assert response.status == 200
    assert len(authority.asked) == 2
    assert authority.revoked == [old]
    assert authority.called[1] == authority.called[0] != authority.called[2]


async def test_a_new_token_that_is_not_accepted_is_an_error(out: Out, authority: Authority) -> None:
    policy = credentials(authority)
    authority.more = {"access_token": "not-for-this-service"}

    problem = await out.problem(f"{authority.url}/service", policy)

    assert (problem.type, problem.status) == (ERRORS + "authentication", 401)
    assert len(authority.called) == 1


async def test_what_can_be_refreshed_is_refreshed(out: Out, authority: Authority) -> None:
    policy = credentials(authority, grant="password", username="ada", password="lovelace")
    for _ in range(3):
        await out.get(f"{authority.url}/service", policy)
        out.now += 1000

    grants = [asked["grant_type"] for asked in authority.asked]
    assert grants == ["password", "refresh_token", "refresh_token"]
    assert authority.asked[2]["refresh_token"] == "refresh-2"


async def test_what_cannot_be_refreshed_any_more_begins_anew(
    out: Out, authority: Authority
) -> None:
    policy = credentials(authority, grant="password", username="ada", password="lovelace")
    await out.get(f"{authority.url}/service", policy)
    out.now += 1000
    authority.refreshable.clear()

    await out.get(f"{authority.url}/service", policy)

    assert [each["grant_type"] for each in authority.asked] == ["password", "refresh_token", "password"]  # fmt: skip


@pytest.mark.parametrize(
    ("members", "kind", "status"),
    [
        ({"client": {"id": CLIENT, "secret": "wrong"}}, "authentication", 401),
        ({"grant": "password", "username": "ada", "password": "wrong"}, "authentication", 401),
        ({"scopes": ["forbidden"]}, "authorization", 403),
        ({"endpoints": {"token": "/nowhere"}}, "communication", 404),
        (
            {"client": {"id": CLIENT, "secret": "no PEM", "authentication": "private_key_jwt"}},
            "configuration",
            400,
        ),
    ],
)
async def test_no_token_is_an_error_that_tells_no_secret(
    out: Out, authority: Authority, members: dict[str, Any], kind: str, status: int
) -> None:
    problem = await out.problem(f"{authority.url}/service", credentials(authority, **members))

    assert (problem.type, problem.status) == (ERRORS + kind, status)
    assert SECRET not in str(problem)
    assert "wrong" not in str(problem)
    assert authority.called == []


async def test_an_authority_that_does_not_work_is_an_error_of_communication(
    out: Out, authority: Authority
) -> None:
    authority.fails_with = 503
    problem = await out.problem(f"{authority.url}/service", credentials(authority))
    assert (problem.type, problem.status) == (ERRORS + "communication", 503)

    authority.fails_with = 200
    problem = await out.problem(f"{authority.url}/service", credentials(authority))
    assert (problem.type, problem.status) == (ERRORS + "communication", 500)


@pytest.mark.parametrize("opaque", [False, True])
async def test_the_issuer_of_a_token_must_be_one_of_those_expected(
    out: Out, authority: Authority, opaque: bool
) -> None:
    authority.opaque = opaque
    url = f"{authority.url}/service"

    response = await out.get(url, credentials(authority, issuers=["https://x", authority.url]))
    problem = await out.problem(url, credentials(authority, issuers=["https://x"]))

    assert response.status == 200
    assert (problem.type, problem.status) == (ERRORS + "authentication", 401)
    assert len(authority.called) == 1


@pytest.mark.parametrize("path", ["", "/", "/.well-known/openid-configuration"])
async def test_openid_connect_finds_its_endpoints(
    out: Out, authority: Authority, path: str
) -> None:
    authority.more = {"id_token": jwt.encode({"iss": authority.url, "aud": CLIENT}, SECRET)}
    policy = credentials(authority, "oidc", authority=authority.url + path)

    response = await out.get(f"{authority.url}/service", policy)

    assert response.status == 200
    # The access token opens the service, not the one that says who somebody is.
    assert authority.called[0].removeprefix("Bearer ") in authority.good


@pytest.mark.parametrize(
    "lie",
    [
        {"issuer": "https://somebody.else"},
        {"more": {"id_token": jwt.encode({"iss": "https://somebody.else", "aud": CLIENT}, SECRET)}},
        {"more": {"id_token": "not a token"}},
    ],
)
async def test_openid_connect_believes_nobody_who_is_somebody_else(
    out: Out, authority: Authority, lie: dict[str, Any]
) -> None:
    for name, value in lie.items():
        setattr(authority, name, value)

    problem = await out.problem(f"{authority.url}/service", credentials(authority, "oidc"))

    assert (problem.type, problem.status) == (ERRORS + "authentication", 401)
    assert authority.called == []


async def test_a_secret_may_have_all_that_a_policy_has(out: Out, authority: Authority) -> None:
    authority.refreshable.add("kept")
    members: JsonValue = {
        "authority": authority.url, "grant": "refresh_token", "refreshToken": "kept",
        "client": {"id": CLIENT, "secret": SECRET},
    }  # fmt: skip

    response = await out.get(f"{authority.url}/service", SecretCredentials("oauth2", members))

    assert response.status == 200
    assert authority.asked[0]["refresh_token"] == "kept"


async def test_a_service_that_echoes_its_requests_does_not_show_the_token(
    out: Out, authority: Authority
) -> None:
    response = await out.get(f"{authority.url}/service", credentials(authority))

    token = authority.called[0].removeprefix("Bearer ")
    assert msgspec.json.decode(response.body)["echo"]["Authorization"] == "Bearer ***"
    assert response.headers["X-Echo"] == "Bearer ***"
    assert token.encode() not in response.body


async def test_a_header_of_the_author_does_not_stand_beside_the_token(
    out: Out, authority: Authority
) -> None:
    await out.get(f"{authority.url}/service", credentials(authority), authorization="Bearer own")

    assert authority.called[0].startswith("Bearer ey")


@pytest.mark.parametrize("scheme", ["oauth2", "oidc"])
async def test_an_authority_inside_is_not_asked(
    out: Out, authority: Authority, scheme: Any
) -> None:
    for inside in ("http://10.0.0.1", "http://169.254.169.254", "http://[::1]:1", "file:///etc"):
        with pytest.raises(EgressRefused):
            await out.get(
                f"{authority.url}/service", credentials(authority, scheme, authority=inside)
            )

    elsewhere = credentials(authority, endpoints={"token": "http://10.0.0.1/token"})
    with pytest.raises(EgressRefused):
        await out.get(f"{authority.url}/service", elsewhere)
    assert authority.called == []


async def test_other_kinds_of_calls_take_their_headers(out: Out, authority: Authority) -> None:
    policy = credentials(authority)

    first = await out.egress.headers(policy, tenant="t")
    again = await out.egress.headers(policy, tenant="t")
    await out.egress.refused(policy, tenant="t")
    new = await out.egress.headers(policy, tenant="t")

    assert first == again != new
    assert isinstance(policy, OAuthCredentials)
    assert first["Authorization"].removeprefix("Bearer ") in authority.good
