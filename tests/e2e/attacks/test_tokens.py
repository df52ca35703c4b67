"""Attacks 1 to 4: forged, confused, injected and substituted tokens, against the real suite.

The attacker has everything public, a token of his own, and in the last group even the signing key: what
is signed, but is not what it ought to be, is refused all the same.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import grpc
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from auth_service.adapters.sqlite.stores import sqlite_stores
from auth_service.domain.signing_key import KeyUse
from autoworker import Client
from autoworker.audit import AuditFilter
from chassis.crypto.key_file import load
from chassis.rpc.credentials import ServiceIdentity
from chassis.rpc.jws import sign
from protos.auth.v1 import auth_pb2
from protos.auth.v1.auth_pb2_grpc import AuthServiceStub
from tests.e2e.attacks.canary import listening
from tests.support.gateway_client import PASSWORD, Person, eventually
from tests.support.http_session import http_session
from tests.support.suite import Suite

ME = "/v1/users/me"
Ask = Callable[[str], Any]


def b64(value: object) -> str:
    """A part of a token."""
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unb64(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def status_of(suite: Suite, *credentials: bytes) -> int:
    """What a request with these Authorization fields, byte for byte, is answered."""
    place = urlsplit(suite.url)
    fields = b"".join(b"Authorization: " + each + b"\r\n" for each in credentials)
    request = f"GET {ME} HTTP/1.1\r\nHost: {place.netloc}\r\nConnection: close\r\n".encode()
    with socket.create_connection((place.hostname, place.port), timeout=10) as connection:
        connection.sendall(request + fields + b"\r\n")
        answer = connection.makefile("rb").readline()
    return int(answer.split()[1])


def asked(suite: Suite, token: str) -> int:
    return status_of(suite, b"Bearer " + token.encode())


@pytest.fixture
async def token(suite: Suite, ada: Person) -> str:
    """A good one, which is the control of every refusal."""
    issued = await ada.login(ada.email, PASSWORD)
    assert asked(suite, issued.access_token) == 200
    return issued.access_token


@pytest.fixture
async def public(suite: Suite) -> dict[str, Any]:
    """The key set as everybody can have it."""
    async with (
        http_session(suite.url) as http,
        http.get("/.well-known/jwks.json") as answer,
    ):
        published: dict[str, Any] = await answer.json()
    return published


def twisted(token: str) -> dict[str, str]:
    """Attack 1: the token, changed in ways that some verifiers do not mind."""
    header, claims, signature = token.split(".")
    head, raw = json.loads(unb64(header)), unb64(signature)
    doubled = json.dumps(head)[:-1] + f', "alg": "{head["alg"]}"}}'
    r, s = int.from_bytes(raw[:32]), int.from_bytes(raw[32:])
    der = b"\x30" + bytes([70 + (r >> 255) + (s >> 255)])
    for number in (r, s):
        padded = number.to_bytes(32 + (number >> 255))
        der += bytes([2, len(padded)]) + padded
    return {
        **{
            f"alg {alg}": f"{b64(head | {'alg': alg})}.{claims}.{end}"
            for alg in ("none", "NONE", "nOnE", "", "ES384", "EdDSA")
            for end in ("", signature)
        },
        "no signature": f"{header}.{claims}.",
        "two parts": f"{header}.{claims}",
        "zero": f"{header}.{claims}.{b64(bytes(64))}",
        "r = s = 1": f"{header}.{claims}.{b64(bytes(31) + bytes([1]) + bytes(31) + bytes([1]))}",
        "der": f"{header}.{claims}.{b64(der)}",
        "over-long": f"{header}.{claims}.{b64(raw + bytes(1))}",
        "leading zeros": f"{header}.{claims}.{b64(bytes(1) + raw[:32] + bytes(1) + raw[32:])}",
        "padding": f"{token}==",
        "a space": f"{header}. {claims}.{signature}",
        "standard alphabet": token.replace("-", "+").replace("_", "/") + "+/",
        "doubled key": f"{b64(doubled.encode())}.{claims}.{signature}",
        "other claims": f"{header}.{b64(json.loads(unb64(claims)) | {'sub': 'eve'})}.{signature}",
        "unused bits": token[:-1] + chr(ord(token[-1]) + 1),
    }


async def test_twisted_tokens_are_refused(suite: Suite, token: str) -> None:
    answers = {name: asked(suite, bad) for name, bad in twisted(token).items()}

    assert set(answers.values()) == {401}, answers
    assert asked(suite, token) == 200


async def test_our_public_key_is_no_shared_secret(
    suite: Suite, token: str, public: dict[str, Any]
) -> None:
    """Attack 2: HS256 with every form of the public key, and ES256 under another kid."""
    _, claims, signature = token.split(".")
    answers = dict[tuple[str, object], int]()
    for jwk in public["keys"]:
        key = jwt.PyJWK(jwk).key
        forms = [
            key.public_bytes(encoding, serialization.PublicFormat.SubjectPublicKeyInfo)
            for encoding in (serialization.Encoding.PEM, serialization.Encoding.DER)
        ]
        forms += [json.dumps(jwk).encode(), json.dumps(public).encode(), b""]
        for number, secret in enumerate(forms):
            message = f"{b64({'alg': 'HS256', 'typ': 'at+jwt', 'kid': jwk['kid']})}.{claims}"
            mac = hmac.digest(secret, message.encode(), hashlib.sha256)
            answers[jwk["kid"], number] = asked(suite, f"{message}.{b64(mac)}")
        head = {"alg": "ES256", "typ": "at+jwt", "kid": jwk["kid"]}
        if jwk["kid"] != json.loads(unb64(token.split(".")[0]))["kid"]:
            answers[jwk["kid"], "kid"] = asked(suite, f"{b64(head)}.{claims}.{signature}")

    assert set(answers.values()) == {401}, answers
    assert len(answers) >= 5


async def test_nothing_in_the_header_is_followed(suite: Suite, token: str) -> None:
    """Attack 3: places to fetch keys from, keys that come along, and ids that are none."""
    header, claims, signature = token.split(".")
    head = json.loads(unb64(header))
    stranger, es256 = ec.generate_private_key(ec.SECP256R1()), jwt.get_algorithm_by_name("ES256")
    async with listening() as canary:
        url = f"http://127.0.0.1:{canary.port}/keys.json"
        extras: list[dict[str, Any]] = [
            {"jku": url},
            {"x5u": url},
            {"jwk": ECAlgorithm.to_jwk(stranger.public_key(), as_dict=True)},
            {"x5c": ["MIIB"]},
            {"crit": ["exp"], "exp": 1},
            {"crit": []},
            {"b64": False, "crit": ["b64"]},
            {"zip": "DEF"},
            {"cty": "JWT"},
            *({"kid": kid} for kid in ("../../dev/null", "/dev/null", "' OR '1'='1", url, "", 7)),
            {"kid": "k" * 5000},
        ]
        refused = []
        for extra in extras:
            message = f"{b64(head | extra)}.{claims}"
            refused.append(await asyncio.to_thread(asked, suite, f"{message}.{signature}"))
            forged = b64(es256.sign(message.encode(), stranger))
            refused.append(await asyncio.to_thread(asked, suite, f"{message}.{forged}"))
        huge = asked(suite, f"{b64(head | {'kid': 'k' * 65536})}.{claims}.{signature}")

    assert set(refused) == {401}
    assert huge in (400, 401, 431)
    assert canary.hits == []
    assert asked(suite, token) == 200


async def test_the_credentials_may_be_given_once(suite: Suite, token: str) -> None:
    good = b"Bearer " + token.encode()

    assert status_of(suite, good, good) == 400
    assert status_of(suite, good, b"Bearer x") == 400
    assert status_of(suite, b"Bearer x", good) == 400
    assert status_of(suite, good + b", " + good) == 401
    assert status_of(suite, good) == 200


@pytest.fixture
async def signing(suite: Suite) -> AsyncIterator[dict[KeyUse, tuple[str, Any]]]:
    """The keys that sign: from the store, with the operator's key file."""
    keys = load(suite.data / "keys" / "auth.keys")
    async with sqlite_stores(suite.data / "auth.db", keys) as stores:
        yield {
            key.use: (key.kid, serialization.load_pem_private_key(key.private_pem, None))
            for key in await stores.keys.all()
        }


async def test_no_other_token_stands_for_an_access_token(
    suite: Suite, ada: Person, token: str, signing: dict[KeyUse, tuple[str, Any]]
) -> None:
    """Attack 4 at the gateway: everything that somebody may have signed, or been given."""
    claims = json.loads(unb64(token.split(".")[1]))
    kid, key = signing[KeyUse.ACCESS]
    now = claims["iat"]

    def own(typ: str = "at+jwt", kid: str = kid, key: Any = key, **changes: Any) -> str:
        return sign(claims | changes, key, typ=typ, kid=kid)

    assert asked(suite, own()) == 200, "with the key one can sign"
    internal_kid, internal_key = signing[KeyUse.INTERNAL]
    service = ServiceIdentity.load_or_create(suite.data / "keys", "gateway")
    substitutes = {
        **{
            f"typ {typ}": own(typ) for typ in ("JWT", "int+jwt", "svc+jwt", "mfa+jwt", "AT+JWT", "")
        },
        "another audience": own(aud="somebody-else"),
        "of several audiences": own(aud=["autoworker-api", "somebody-else"]),
        "another issuer": own(iss="https://evil.example"),
        "another tenant": own(tenant="acme"),
        "another user": own(sub="0199c5e8-6f1b-7a20-9d2e-3c1f5b7a9d10"),
        "another session": own(sid="0199c5e8-6f1b-7a20-9d2e-3c1f5b7a9d10"),
        "expired": own(exp=now - 1, iat=now - 100),
        "not yet": own(nbf=now + 3600),
        "for ever": sign(
            {k: v for k, v in claims.items() if k != "exp"}, key, typ="at+jwt", kid=kid
        ),
        "the internal key": own(key=internal_key, kid=internal_kid),
        "the internal key, our kid": own(key=internal_key),
        "of a service": service.token("svc:auth"),
        "of a service, as ours": service.signed(claims, typ="at+jwt"),
        "a refresh token": (await ada.login(ada.email, PASSWORD)).refresh_token,
    }
    if KeyUse.ID_ES256 in signing:
        id_kid, id_key = signing[KeyUse.ID_ES256]
        substitutes["an ID token"] = own("JWT", kid=id_kid, key=id_key)
        substitutes["the ID key"] = own(kid=id_kid, key=id_key)
    answers = {name: asked(suite, bad) for name, bad in substitutes.items()}

    assert set(answers.values()) == {401}, answers
    assert asked(suite, token) == 200


async def test_a_users_token_opens_no_inner_door(suite: Suite, token: str, tmp_path: Path) -> None:
    """Attack 4 at the services: only internal tokens for that very service, and services' own."""
    service = ServiceIdentity.load_or_create(suite.data / "keys", "gateway")
    stranger = ServiceIdentity.load_or_create(tmp_path, "gateway")
    async with grpc.aio.insecure_channel(suite.run.services["auth"]) as channel:
        keys = AuthServiceStub(channel).GetKeys

        async def code(bearer: str | None) -> grpc.StatusCode:
            metadata = () if bearer is None else (("authorization", f"Bearer {bearer}"),)
            try:
                await keys(
                    auth_pb2.GetKeysRequest(use=auth_pb2.KEY_USE_ACCESS),
                    metadata=metadata,
                    timeout=30,
                )
            except grpc.aio.AioRpcError as exc:
                return exc.code()
            return grpc.StatusCode.OK

        assert await code(service.token("svc:auth")) is grpc.StatusCode.OK
        for bearer in (
            None,
            token,
            service.token("svc:workflow"),
            stranger.token("svc:auth"),
            service.signed({"iss": "svc:gateway", "sub": "svc:gateway"}, typ="x+jwt"),
        ):
            assert await code(bearer) is grpc.StatusCode.UNAUTHENTICATED

    known = suite.administrator
    async with Client(suite.url, email=known.email, password=known.password) as admin:

        async def told() -> bool:
            wanted = AuditFilter(action="call_refused", outcome="refused")
            entries = [entry async for entry in admin.audit(wanted)]
            return {entry.target.rpartition("/")[2] for entry in entries} == {"GetKeys"} and len(
                entries
            ) == 5

        await eventually(told, "being told")
