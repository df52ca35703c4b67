import base64
import hmac
import json
import stat
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from chassis.errors import CannotStart, Unauthenticated, Unavailable
from chassis.rpc.credentials import ServiceIdentity, TokenVerifier
from chassis.rpc.jws import TokenRefused, sign
from chassis.rpc.keys import PublicKey, RemoteKeys
from tests.support.time import ManualClock

AUDIENCE = "svc:workflow"


def public_jwk(key: PublicKey, kid: str) -> dict[str, Any]:
    return {**ECAlgorithm.to_jwk(key, as_dict=True), "kid": kid, "alg": "ES256", "use": "sig"}


class Publisher:
    """Issues users' tokens and publishes its keys."""

    def __init__(self) -> None:
        self.keys = {"k1": ec.generate_private_key(ec.SECP256R1())}
        self.fetched = 0
        self.away = False

    async def fetch(self) -> bytes:
        self.fetched += 1
        if self.away:
            raise Unavailable("away")
        keys = [public_jwk(key.public_key(), kid) for kid, key in self.keys.items()]
        return json.dumps({"keys": keys}).encode()

    def token(
        self, clock: ManualClock, *, typ: str = "int+jwt", kid: str = "k1", **changes: Any
    ) -> str:
        now = int(clock.now().timestamp())
        claims: dict[str, Any] = {
            "iss": "autoworker",
            "sub": "user-1",
            "aud": AUDIENCE,
            "iat": now,
            "exp": now + 60,
            "jti": "j",
            "sid": "session-1",
            "tenant": "default",
            "roles": ["user"],
            "permissions": ["executions:read"],
            "act": {"sub": "svc:gateway"},
        }
        claims.update(changes)
        return sign(
            {name: value for name, value in claims.items() if value is not None},
            self.keys[kid],
            typ=typ,
            kid=kid,
        )


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def publisher() -> Publisher:
    return Publisher()


@pytest.fixture
def verifier(tmp_path: Path, clock: ManualClock, publisher: Publisher) -> TokenVerifier:
    keys = RemoteKeys(publisher.fetch, clock=clock)
    return TokenVerifier(AUDIENCE, tmp_path, keys, clock=clock)


@pytest.fixture
def gateway(tmp_path: Path, clock: ManualClock) -> ServiceIdentity:
    return ServiceIdentity.load_or_create(tmp_path, "gateway", clock=clock)


async def refused(verifier: TokenVerifier, token: str) -> bool:
    try:
        await verifier.verify(token)
    except TokenRefused as exc:
        return exc.message == "the token is not valid"
    return False


async def test_a_services_token_tells_which_service_calls(
    verifier: TokenVerifier, gateway: ServiceIdentity
) -> None:
    principal = await verifier.verify(gateway.token(AUDIENCE))
    assert (principal.kind, principal.id, principal.permissions) == (
        "service",
        "gateway",
        frozenset(),
    )


async def test_a_users_token_tells_all_about_the_user(
    verifier: TokenVerifier, publisher: Publisher, clock: ManualClock
) -> None:
    principal = await verifier.verify(publisher.token(clock))
    assert principal.kind == "user"
    assert (principal.id, principal.tenant, principal.session_id) == (
        "user-1",
        "default",
        "session-1",
    )
    assert principal.roles == ("user",)
    assert principal.may("executions:read")
    assert not principal.may("executions:write")


def test_a_key_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    ServiceIdentity.load_or_create(tmp_path, "auth")
    before = (tmp_path / "auth.pem").read_bytes()
    (tmp_path / "auth.pub.pem").unlink()
    ServiceIdentity.load_or_create(tmp_path, "auth")
    assert (tmp_path / "auth.pem").read_bytes() == before
    assert stat.S_IMODE((tmp_path / "auth.pem").stat().st_mode) == 0o600
    assert sorted(file.name for file in tmp_path.iterdir()) == ["auth.pem", "auth.pub.pem"]


def test_a_damaged_key_is_named(tmp_path: Path) -> None:
    (tmp_path / "auth.pem").write_text("rubbish")
    with pytest.raises(CannotStart, match=r"auth\.pem"):
        ServiceIdentity.load_or_create(tmp_path, "auth")


def test_a_token_is_kept_until_shortly_before_its_end(
    gateway: ServiceIdentity, clock: ManualClock
) -> None:
    token = gateway.token(AUDIENCE)
    clock.advance(30)
    assert gateway.token(AUDIENCE) == token
    clock.advance(15)
    assert gateway.token(AUDIENCE) != token


async def test_tokens_are_good_again_after_the_clock_was_set_back(
    gateway: ServiceIdentity, clock: ManualClock, verifier: TokenVerifier
) -> None:
    gateway.token(AUDIENCE)
    clock.set(clock.now() - timedelta(hours=2))
    assert (await verifier.verify(gateway.token(AUDIENCE))).id == "gateway"


async def test_an_expired_token_is_refused_also_when_it_was_good_before(
    verifier: TokenVerifier, publisher: Publisher, clock: ManualClock, gateway: ServiceIdentity
) -> None:
    user, service = publisher.token(clock), gateway.token(AUDIENCE)
    await verifier.verify(user)
    await verifier.verify(service)
    clock.advance(61)
    assert await refused(verifier, user)
    assert await refused(verifier, service)


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "svc:auth"},
        {"aud": ["svc:workflow"]},
        {"aud": None},
        {"iss": "somebody"},
        {"iss": "svc:gateway"},
        {"exp": None},
        {"exp": "soon"},
        {"exp": True},
        {"nbf": 99_999_999_999},
        {"iat": 99_999_999_999},
        {"sub": ""},
        {"sub": None},
        {"tenant": None},
        {"tenant": 7},
        {"permissions": "executions:read"},
        {"roles": [1]},
        {"typ": "at+jwt"},
        {"typ": "svc+jwt"},
        {"typ": "JWT"},
    ],
)
async def test_a_users_token_with_wrong_claims_is_refused(
    verifier: TokenVerifier, publisher: Publisher, clock: ManualClock, changes: Mapping[str, Any]
) -> None:
    await verifier.verify(publisher.token(clock))
    assert await refused(verifier, publisher.token(clock, **changes))


def encoded(content: object) -> str:
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


TWICE = b'{"alg":"none","alg":"ES256","typ":"int+jwt","kid":"k1"}'


async def test_forged_tokens_are_refused(
    verifier: TokenVerifier, publisher: Publisher, clock: ManualClock
) -> None:
    token = publisher.token(clock)
    await verifier.verify(token)
    header, payload, signature = token.split(".")
    key = publisher.keys["k1"]
    der = key.sign(f"{header}.{payload}".encode(), ec.ECDSA(hashes.SHA256()))
    stranger = Publisher().token(clock)
    pem = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )

    def with_header(**changes: Any) -> str:
        return f"{encoded({'alg': 'ES256', 'typ': 'int+jwt', 'kid': 'k1', **changes})}.{payload}"

    confused = with_header(alg="HS256")
    forged = [
        "",
        "x",
        "a.b.c",
        f"{header}.{payload}.",
        f"{with_header(alg='none')}.",
        *(f"{with_header(alg=alg)}.{signature}" for alg in ("none", "NONE", "nOnE", "HS256")),
        jwt.encode({"sub": "user-1"}, "secret" * 8, algorithm="HS256"),
        f"{with_header(jku='http://evil')}.{signature}",
        f"{with_header(jwk=public_jwk(key.public_key(), 'k1'))}.{signature}",
        f"{with_header(crit=['x'])}.{signature}",
        f"{with_header(kid='../../dev/null')}.{signature}",
        f"{with_header(kid=None)}.{signature}",
        f"{encoded(TWICE)}.{payload}.{signature}",
        f"{confused}.{encoded(hmac.digest(pem, confused.encode(), 'sha256'))}",
        f"{header}.{payload}.{encoded(der)}",
        f"{header}.{payload}.{encoded(bytes(64))}",
        f"{header}.{payload}.{signature}A",
        f"{header}.{payload}.{signature}==",
        f" {token}",
        f"{token}\n",
        f"{header}.{encoded({'sub': 'root'})}.{signature}",
        stranger,
        "A" * 70_000,
    ]
    assert [token[:80] for token in forged if not await refused(verifier, token)] == []


async def test_a_services_token_cannot_be_borrowed(
    verifier: TokenVerifier, gateway: ServiceIdentity, tmp_path: Path, clock: ManualClock
) -> None:
    await verifier.verify(gateway.token(AUDIENCE))
    assert await refused(verifier, gateway.token("svc:auth"))
    elsewhere = ServiceIdentity.load_or_create(tmp_path / "other", "gateway", clock=clock)
    assert await refused(verifier, elsewhere.token(AUDIENCE))
    unknown = ServiceIdentity.load_or_create(tmp_path / "other", "billing", clock=clock)
    assert await refused(verifier, unknown.token(AUDIENCE))


async def test_a_service_cannot_speak_for_another_or_for_long(
    verifier: TokenVerifier, gateway: ServiceIdentity, clock: ManualClock, tmp_path: Path
) -> None:
    ServiceIdentity.load_or_create(tmp_path, "auth", clock=clock)
    claims = dict(gateway._claims(AUDIENCE, int(clock.now().timestamp())))
    for changes in (
        {"iss": "svc:auth", "sub": "svc:auth"},
        {"sub": "svc:auth"},
        {"exp": claims["exp"] + 3600},
        {"iss": "svc:../gateway"},
        {"iss": ""},
    ):
        assert await refused(verifier, sign({**claims, **changes}, gateway._key, typ="svc+jwt"))


async def test_without_a_source_of_keys_no_user_is_let_in(
    tmp_path: Path, publisher: Publisher, clock: ManualClock
) -> None:
    assert await refused(TokenVerifier(AUDIENCE, tmp_path, clock=clock), publisher.token(clock))


async def test_a_new_key_is_fetched_when_it_is_first_used(
    verifier: TokenVerifier, publisher: Publisher, clock: ManualClock
) -> None:
    await verifier.verify(publisher.token(clock))
    publisher.keys["k2"] = ec.generate_private_key(ec.SECP256R1())
    clock.advance(2)
    await verifier.verify(publisher.token(clock, kid="k2"))
    assert publisher.fetched == 2


async def test_unknown_keys_cause_one_fetch_a_second(
    publisher: Publisher, clock: ManualClock
) -> None:
    keys = RemoteKeys(publisher.fetch, clock=clock)
    for number in range(20):
        with pytest.raises(Unauthenticated):
            await keys.key(f"unknown-{number}")
    assert publisher.fetched == 1
    clock.advance(1)
    with pytest.raises(Unauthenticated):
        await keys.key("unknown")
    assert publisher.fetched == 2


async def test_a_withdrawn_key_stops_counting(publisher: Publisher, clock: ManualClock) -> None:
    keys = RemoteKeys(publisher.fetch, clock=clock)
    await keys.key("k1")
    publisher.keys = {"k2": ec.generate_private_key(ec.SECP256R1())}
    clock.advance(301)
    with pytest.raises(Unauthenticated):
        await keys.key("k1")


async def test_known_keys_go_on_counting_while_their_publisher_is_away(
    publisher: Publisher, clock: ManualClock
) -> None:
    keys = RemoteKeys(publisher.fetch, clock=clock)
    await keys.key("k1")
    publisher.away = True
    clock.advance(301)
    await keys.key("k1")
    clock.advance(2)
    with pytest.raises(Unavailable):
        await keys.key("k2")


async def test_a_key_set_that_cannot_be_read_is_a_reason_to_come_back(clock: ManualClock) -> None:
    async def fetch() -> bytes:
        return b"<html>"

    with pytest.raises(Unavailable):
        await RemoteKeys(fetch, clock=clock).key("k1")
