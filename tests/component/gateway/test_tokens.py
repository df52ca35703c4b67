"""Attacks 1 to 5: what is not a living access token of ours is 401."""

import asyncio
import base64
import json
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from chassis.caching.port import LimitPolicy
from chassis.errors import Unavailable
from chassis.rpc.jws import sign
from tests.component.gateway.world import World, a_world
from tests.support.time import eventually

DOUBLED = b'{"alg":"none","alg":"ES256","typ":"at+jwt","kid":"a1"}'


def part(value: Any) -> str:
    """A part of a token."""
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def forged(world: World) -> dict[str, str]:
    """Tokens that must not be believed."""
    good = world.auth.access_token()
    header, claims, signature = good.split(".")
    body = json.loads(base64.urlsafe_b64decode(claims + "=="))
    head = {"alg": "ES256", "typ": "at+jwt", "kid": "a1"}
    raw = base64.urlsafe_b64decode(signature + "==")
    pem = world.auth.access_key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    stranger = ec.generate_private_key(ec.SECP256R1())
    hmac = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    confused = f"{part(head | {'alg': 'HS256'})}.{claims}"
    with_jwk = {**head, "jwk": jwt.algorithms.ECAlgorithm.to_jwk(stranger.public_key(), True)}
    signed_jwk = jwt.encode(body, stranger, "ES256", headers=with_jwk)

    def own(typ: str = "at+jwt", kid: str = "a1", **changes: Any) -> str:
        return sign(body | changes, world.auth.access_key, typ=typ, kid=kid)

    return {
        "alg none": f"{part(head | {'alg': 'none'})}.{claims}.",
        "alg nOnE": f"{part(head | {'alg': 'nOnE'})}.{claims}.{signature}",
        "no signature": f"{header}.{claims}.",
        "zero signature": f"{header}.{claims}.{part(bytes(64))}",
        "long signature": f"{header}.{claims}.{part(raw + b'0')}",
        "padding": f"{good}==",
        "space inside": f"{header}.{claims} .{signature}",
        "doubled key": f"{part(DOUBLED)}.{claims}.{signature}",
        "other claims": f"{header}.{part(body | {'sub': 'eve'})}.{signature}",
        "hmac with the public key": f"{confused}.{part(hmac.sign(confused.encode(), pem))}",
        "key in the header": signed_jwk,
        "jku": jwt.encode(body, stranger, "ES256", headers={**head, "jku": "http://127.0.0.1:9/"}),
        "kid is a path": own(kid="../../dev/null"),
        "kid unknown": own(kid="a2"),
        "kid huge": own(kid="k" * 9000),
        "id token": own(typ="JWT"),
        "service token": own(typ="svc+jwt"),
        "internal token": sign(body, world.auth.internal_key, typ="int+jwt", kid="i1"),
        "other audience": own(aud="svc:workflow"),
        "many audiences": own(aud=["autoworker-api", "other"]),
        "other issuer": own(iss="evil"),
        "expired": own(exp=body["iat"] - 1),
        "from the future": own(iat=body["iat"] + 3600, nbf=body["iat"] + 3600),
        "no session": own(sid=""),
        "exp is text": own(exp="tomorrow"),
        "refresh token": "r-s1",
        "huge": "a" * 9000,
        "empty": "",
    }


async def test_forged_and_foreign_tokens_are_401(world: World) -> None:
    for name, token in forged(world).items():
        answer = await world.ask(
            "GET", "/v1/executions", headers={"Authorization": f"Bearer {token}"}
        )
        assert (answer.status, answer.error["code"]) == (401, "UNAUTHENTICATED"), name
        assert answer.headers["WWW-Authenticate"].startswith("Bearer"), name
    assert (await world.ask("GET", "/v1/executions")).status == 200
    assert len(world.auth.behaviour.named("ExchangeToken")) == 1


async def test_without_a_token_the_challenge_is_bare(world: World) -> None:
    for headers in ({}, {"Authorization": "Basic YTpi"}, {"X-API-Key": "sk_live_x"}):
        answer = await world.ask("GET", "/v1/executions", headers=headers, anonymous=True)
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"] in {"Bearer", 'Bearer error="invalid_token"'}


async def test_a_token_in_the_query_is_no_token(world: World) -> None:
    token = world.auth.access_token()

    answer = await world.ask("GET", f"/v1/executions?access_token={token}", anonymous=True)

    assert answer.status == 401


async def test_a_permission_that_is_missing_is_403(world: World) -> None:
    world.auth.permissions = frozenset({"executions:read"})

    may = await world.ask("GET", "/v1/executions")
    may_not = await world.ask("POST", "/v1/executions", {})

    assert may.status == 200
    assert (may_not.status, may_not.error["code"]) == (403, "PERMISSION_DENIED")
    assert not world.workflows.behaviour.named("StartExecution")


async def test_one_exchange_serves_many_requests(world: World) -> None:
    headers = world.bearer()

    answers = await asyncio.gather(
        *(world.ask("GET", "/v1/executions", headers=headers) for _ in range(20))
    )
    await world.ask("GET", "/v1/notifications", headers=headers)

    assert {answer.status for answer in answers} == {200}
    audiences = [each.audience for each in world.auth.behaviour.named("ExchangeToken")]
    assert audiences == ["svc:workflow", "svc:notification"]


async def test_revocation_reaches_the_gateway_soon(world: World) -> None:
    headers = world.bearer(session="s9")
    assert (await world.ask("GET", "/v1/executions", headers=headers)).status == 200

    await world.auth.revoke("s9")

    answer = await world.ask("GET", "/v1/executions", headers=headers)
    async with asyncio.timeout(20.0):
        while answer.status == 200:
            answer = await world.ask("GET", "/v1/executions", headers=headers)
    assert (await world.ask("GET", "/v1/executions", headers=headers)).status == 401
    assert (await world.ask("GET", "/v1/executions")).status == 200


async def test_identity_headers_of_clients_mean_nothing(world: World) -> None:
    answer = await world.ask(
        "GET",
        "/v1/users/me",
        headers={"X-User-Id": "root", "X-Internal-Roles": "admin", "X-Tenant": "other"},
    )

    assert (answer.json["id"], answer.json["tenant"]) == ("ada", "default")


async def test_auth_away_is_503_for_new_tokens(world: World) -> None:
    world.auth.behaviour.failures["ExchangeToken"] = Unavailable("away")

    answer = await world.ask("GET", "/v1/executions")

    assert (answer.status, answer.error["code"]) == (503, "UNAVAILABLE")


async def test_guessing_ends_in_429(tmp_path: Path) -> None:
    policy = LimitPolicy("auth", 3, 60.0)
    async with a_world(tmp_path, auth_rate=policy) as world:
        guesses = [
            await world.ask(
                "POST",
                "/v1/auth/login",
                {"email": "a@b.c", "password": str(n)},
                anonymous=True,
                headers={"X-Forwarded-For": f"10.0.0.{n}"},
            )
            for n in range(5)
        ]

    assert [guess.status for guess in guesses] == [401, 401, 401, 429, 429]
    assert guesses[3].error["code"] == "RATE_LIMITED"
    assert int(guesses[3].headers["Retry-After"]) >= 1
    assert guesses[0].headers["RateLimit-Policy"] == '"auth";q=3;w=60'
    assert guesses[0].headers["RateLimit"].startswith('"auth";r=2;t=')


async def test_everybody_who_is_signed_in_has_a_limit_of_their_own(tmp_path: Path) -> None:
    async with a_world(tmp_path, principal_rate=LimitPolicy("default", 2, 60.0)) as world:
        ada = [await world.ask("GET", "/v1/executions") for _ in range(3)]
        bob = await world.ask("GET", "/v1/executions", headers=world.bearer(user="bob"))

    assert [answer.status for answer in ada] == [200, 200, 429]
    assert bob.status == 200
    assert bob.headers["RateLimit"] == '"default";r=1;t=30'


@pytest.mark.parametrize("trusted", [True, False])
async def test_forwarded_addresses_count_only_from_trusted_proxies(
    tmp_path: Path, trusted: bool
) -> None:
    proxies = (ip_network("127.0.0.0/8"),) if trusted else ()
    async with a_world(tmp_path, trusted_proxies=proxies) as world:
        await world.ask(
            "POST",
            "/v1/auth/login",
            {"email": "a@b.c", "password": "x"},
            anonymous=True,
            headers={"X-Forwarded-For": "1.1.1.1, 203.0.113.9"},
        )
        seen = world.auth.behaviour.named("Login")[0].origin.address

    assert seen == ("203.0.113.9" if trusted else "127.0.0.1")


async def test_the_revocation_feed_is_followed_from_where_it_broke(world: World) -> None:
    await world.auth.revoke("s8")
    headers = world.bearer(session="s8")

    await eventually(lambda: bool(world.auth.behaviour.named("WatchRevocations")))

    assert (await world.ask("GET", "/v1/executions", headers=headers)).status == 401
