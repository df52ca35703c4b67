"""Forged, twisted and foreign tokens, beside the one that is right."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from jwt.algorithms import ECAlgorithm

from auth_service.adapters.jwt_tokens import JwtTokens
from auth_service.application.ports import TokenGrant
from auth_service.domain.errors import AccessTokenRefused
from auth_service.domain.mfa.proofs import Proof
from auth_service.domain.permissions import Role
from auth_service.domain.session import LiveSession
from auth_service.domain.signing_key import KeyPair, KeyUse, SigningKey
from auth_service.domain.user import EmailAddress, User

NOW = datetime(2026, 1, 15, 10, 30, tzinfo=UTC)
VECTORS = Path(__file__).parents[4] / "shared/vectors/wycheproof/json_web_signature_test.json"
MISLEADING = {346, 347, 350, 351, 367, 370, 372, 373}
USER = User("u1", "t1", EmailAddress("a@b.co", "a@b.co"), "", "", (Role.USER,), NOW, NOW)

tokens = JwtTokens()


def as_key(pair: KeyPair) -> SigningKey:
    later = NOW + timedelta(days=30)
    return SigningKey(pair.kid, KeyUse.ACCESS, "", pair.private_pem, NOW, later, later)


def private_of(key: SigningKey) -> ec.EllipticCurvePrivateKey:
    loaded = serialization.load_pem_private_key(key.private_pem, password=None)
    assert isinstance(loaded, ec.EllipticCurvePrivateKey)
    return loaded


KEY = as_key(tokens.new_pair(KeyUse.ACCESS))
OTHER = as_key(tokens.new_pair(KeyUse.ACCESS))
GRANT = TokenGrant("j1", LiveSession("s1", USER), NOW, NOW + timedelta(minutes=10))
GOOD = tokens.access_token(KEY, GRANT)
CLAIMS: dict[str, Any] = jwt.decode(GOOD, options={"verify_signature": False})
HEADER: dict[str, Any] = {"alg": "ES256", "typ": "at+jwt", "kid": KEY.kid}


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def raw_signature(message: bytes) -> bytes:
    r, s = decode_dss_signature(private_of(KEY).sign(message, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32) + s.to_bytes(32)


def signed(header: str | dict[str, Any], claims: str | dict[str, Any] = CLAIMS) -> str:
    """A token under the right key, whatever it says."""
    parts = (part if isinstance(part, str) else json.dumps(part) for part in (header, claims))
    message = ".".join(b64(part.encode()) for part in parts)
    return f"{message}.{b64(raw_signature(message.encode()))}"


def verify(token: str, now: datetime = NOW) -> str:
    return tokens.verify_access_token(token, [OTHER, KEY], now).session_id


def refused(token: str, now: datetime = NOW) -> None:
    with pytest.raises(AccessTokenRefused):
        verify(token, now)


def test_the_right_token_is_accepted_however_it_was_made() -> None:
    assert verify(GOOD) == "s1"
    assert verify(signed(HEADER)) == "s1"


def test_tokens_say_when_and_how_their_user_was_proved() -> None:
    proof = Proof(NOW, ("pwd", "otp", "mfa"))
    grant = replace(GRANT, session=LiveSession("s1", USER, proof))

    for token in (
        tokens.access_token(KEY, grant),
        tokens.internal_token(KEY, grant, audience="svc:workflow", actor="svc:gateway"),
    ):
        claims = jwt.decode(token, options={"verify_signature": False})
        assert claims["auth_time"] == int(NOW.timestamp())
        assert (claims["acr"], claims["amr"]) == ("aal2", ["pwd", "otp", "mfa"])


@pytest.mark.parametrize("alg", ["none", "NONE", "nOnE", "", "ES384", "RS256", "HS256", "es256"])
def test_only_es256_counts(alg: str) -> None:
    refused(signed({**HEADER, "alg": alg}))
    refused(f"{b64(json.dumps({**HEADER, 'alg': alg}).encode())}.{GOOD.split('.')[1]}.")


def _public_forms() -> Iterator[bytes]:
    public = private_of(KEY).public_key()
    info = serialization.PublicFormat.SubjectPublicKeyInfo
    yield public.public_bytes(serialization.Encoding.PEM, info)
    yield public.public_bytes(serialization.Encoding.DER, info)
    yield json.dumps(ECAlgorithm.to_jwk(public, as_dict=True)).encode()
    yield tokens.key_set([KEY])


@pytest.mark.parametrize("form", range(4))
def test_our_public_key_is_no_shared_secret(form: int) -> None:
    secret = list(_public_forms())[form]
    message = f"{b64(json.dumps({**HEADER, 'alg': 'HS256'}).encode())}.{GOOD.split('.')[1]}"
    refused(f"{message}.{b64(hmac.new(secret, message.encode(), hashlib.sha256).digest())}")


SIGNATURES: dict[str, Callable[[bytes], bytes]] = {
    "zeros": lambda _: bytes(64),
    "empty": lambda _: b"",
    "too long": lambda signature: signature + b"\0",
    "too short": lambda signature: signature[:-1],
    "doubled": lambda signature: signature * 2,
    "one bit off": lambda signature: signature[:-1] + bytes([signature[-1] ^ 1]),
    "order as r and s": lambda _: bytes.fromhex(
        "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551" * 2
    ),
}


@pytest.mark.parametrize("twist", SIGNATURES)
def test_a_twisted_signature_is_refused(twist: str) -> None:
    header, claims, signature = GOOD.split(".")
    refused(f"{header}.{claims}.{b64(SIGNATURES[twist](unb64(signature)))}")


def test_a_signature_in_der_is_refused() -> None:
    message = GOOD.rpartition(".")[0]
    der = private_of(KEY).sign(message.encode(), ec.ECDSA(hashes.SHA256()))
    refused(f"{message}.{b64(der)}")


@pytest.mark.parametrize(
    "twist",
    [
        lambda token: token + "=",
        lambda token: token + "\n",
        lambda token: " " + token,
        lambda token: token.replace(".", " .", 1),
        lambda token: token + ".",
        lambda token: token + ".x",
        lambda token: "." + token,
        lambda token: token.rpartition(".")[0],
        lambda token: token[:-1] + chr(ord(token[-1]) + 1),
        lambda token: token.replace(".", ".\u0130", 1),
        lambda _: "",
        lambda _: "x" * 100_000,
        lambda _: "e30.e30." + "A" * 86,
    ],
)
def test_another_spelling_of_the_token_is_refused(twist: Callable[[str], str]) -> None:
    refused(twist(GOOD))


@pytest.mark.parametrize(
    "extra",
    [
        {"jku": "https://evil.example/keys"},
        {"x5u": "https://evil.example/cert"},
        {"jwk": {"kty": "EC"}},
        {"x5c": ["MIIB"]},
        {"crit": ["exp"]},
        {"crit": ["b64"], "b64": False},
        {"zip": "DEF"},
        {"cty": "JWT"},
    ],
)
def test_a_header_that_says_more_than_ours_is_refused(extra: dict[str, Any]) -> None:
    refused(signed({**HEADER, **extra}))


@pytest.mark.parametrize(
    "kid",
    ["", "../../dev/null", "' OR 1=1 --", "https://evil.example", "x" * 64_000, 7, None, ["a"]],
)
def test_a_kid_is_only_looked_up_among_our_own(kid: object) -> None:
    refused(signed({**HEADER, "kid": kid}))


def test_the_kid_of_another_key_of_ours_is_refused() -> None:
    refused(signed({**HEADER, "kid": OTHER.kid}))


def test_a_key_that_is_published_no_more_is_refused() -> None:
    with pytest.raises(AccessTokenRefused):
        tokens.verify_access_token(GOOD, [OTHER], NOW)


@pytest.mark.parametrize(
    "header",
    [
        '{"alg":"none","alg":"ES256","typ":"at+jwt","kid":"%s"}',
        '{"alg":"ES256","typ":"JWT","typ":"at+jwt","kid":"%s"}',
        '{"alg":"ES256","typ":"at+jwt","kid":"x","kid":"%s"}',
        '["alg","%s"]',
        "%s",
    ],
)
def test_a_header_that_readers_could_read_differently_is_refused(header: str) -> None:
    refused(signed(header % KEY.kid))


@pytest.mark.parametrize("typ", ["JWT", "jwt", "int+jwt", "svc+jwt", "application/at+jwt", ""])
def test_another_kind_of_token_is_refused(typ: str) -> None:
    refused(signed({**HEADER, "typ": typ}))


@pytest.mark.parametrize(
    "change",
    [
        {"aud": "svc:workflow"},
        {"aud": ["autoworker-api"]},
        {"aud": ["autoworker-api", "other"]},
        {"aud": None},
        {"iss": "evil"},
        {"iss": ["autoworker"]},
        {"sub": 7},
        {"sid": None},
        {"sid": {"x": 1}},
        {"tenant": None},
        {"exp": None},
        {"exp": "9999999999"},
        {"exp": 1e308},
        {"exp": True},
        {"iat": int(NOW.timestamp()) + 3600},
        {"nbf": int(NOW.timestamp()) + 3600},
    ],
)
def test_claims_that_are_not_ours_are_refused(change: dict[str, Any]) -> None:
    claims = {name: value for name, value in {**CLAIMS, **change}.items() if value is not None}

    refused(signed(HEADER, claims))


def test_time_runs_out() -> None:
    assert verify(GOOD, NOW + timedelta(minutes=10, seconds=-1)) == "s1"
    refused(GOOD, NOW + timedelta(minutes=10))


@pytest.mark.parametrize("claims", ["", "null", "[]", '"x"', "{", "[" * 3_000])
def test_a_payload_that_is_no_object_is_refused(claims: str) -> None:
    refused(signed(HEADER, claims))


def test_a_kid_is_the_thumbprint_of_its_key() -> None:
    jwk = json.loads(tokens.key_set([KEY]))["keys"][0]
    canonical = json.dumps(
        {name: jwk[name] for name in ("crv", "kty", "x", "y")}, separators=(",", ":")
    )

    assert KEY.kid == b64(hashlib.sha256(canonical.encode()).digest())


@pytest.mark.skipif(not VECTORS.exists(), reason="the Wycheproof vectors are not here")
def test_no_vector_of_wycheproof_passes_for_an_access_token() -> None:
    """Not even the valid ones, which are signed but no access tokens, under the very same key."""
    tried = 0
    for group in json.loads(VECTORS.read_text())["testGroups"]:
        private = group.get("private") or {}
        if private.get("crv") != "P-256":
            continue
        key = as_key(KeyPair(private.get("kid", ""), _pem_of(private)))
        for test in group["tests"]:
            if test["tcId"] not in MISLEADING:
                tried += 1
                with pytest.raises(AccessTokenRefused):
                    tokens.verify_access_token(test["jws"], [key], NOW)
        control = tokens.access_token(key, GRANT)
        assert tokens.verify_access_token(control, [key], NOW).session_id == "s1"
    assert tried > 30


def _pem_of(jwk: dict[str, Any]) -> bytes:
    number = int.from_bytes(unb64(jwk["d"]))
    return ec.derive_private_key(number, ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


@pytest.mark.skipif(not VECTORS.exists(), reason="the Wycheproof vectors are not here")
def test_signatures_that_wycheproof_calls_invalid_do_not_carry_our_claims() -> None:
    """The twists of its ES256 signatures, transplanted onto a token that is right otherwise."""
    message, _, signature = GOOD.rpartition(".")
    for group in json.loads(VECTORS.read_text())["testGroups"]:
        if (group.get("private") or {}).get("crv") != "P-256":
            continue
        for test in group["tests"]:
            theirs = str(test["jws"]).rpartition(".")[2] if isinstance(test["jws"], str) else ""
            if theirs != signature:
                refused(f"{message}.{theirs}")
