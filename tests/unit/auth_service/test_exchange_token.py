"""Access tokens in, internal tokens out."""

import dataclasses

import jwt
import pytest

from auth_service.application.grants import IssuedTokens
from auth_service.domain.errors import AccessTokenRefused, InputInvalid
from auth_service.domain.permissions import permissions_of
from tests.unit.auth_service.fakes import Identity


@pytest.fixture
async def issued(auth: Identity) -> IssuedTokens:
    await auth.register()
    return await auth.login()


def claims(token: str) -> dict[str, object]:
    return dict(jwt.decode(token, options={"verify_signature": False}))


async def test_an_access_token_says_what_rfc_9068_asks(
    auth: Identity, issued: IssuedTokens
) -> None:
    header, says = jwt.get_unverified_header(issued.access_token), claims(issued.access_token)

    assert set(header) == {"alg", "typ", "kid"}
    assert (header["alg"], header["typ"]) == ("ES256", "at+jwt")
    assert (says["iss"], says["aud"], says["client_id"]) == (
        "autoworker",
        "autoworker-api",
        "autoworker",
    )
    assert set(says) >= {"sub", "exp", "iat", "jti", "sid", "tenant", "roles"}
    assert says["roles"] == ["user"]


async def test_an_internal_token_is_for_one_service_and_names_who_acts(
    auth: Identity, issued: IssuedTokens
) -> None:
    internal = await auth.exchange(issued.access_token, "svc:notification")
    says = claims(internal.token)

    assert jwt.get_unverified_header(internal.token)["typ"] == "int+jwt"
    assert says["aud"] == "svc:notification"
    assert says["act"] == {"sub": "svc:gateway"}
    assert says["permissions"] == list(permissions_of(["user"]))
    assert says["sid"] == claims(issued.access_token)["sid"]
    assert internal.expires_in == 60


async def test_an_internal_token_never_outlives_the_access_token(
    auth: Identity, issued: IssuedTokens
) -> None:
    auth.clock.advance(600 - 17)

    internal = await auth.exchange(issued.access_token)

    assert internal.expires_in == 17
    assert claims(internal.token)["exp"] == claims(issued.access_token)["exp"]


async def test_an_expired_access_token_is_refused(auth: Identity, issued: IssuedTokens) -> None:
    auth.clock.advance(600)

    with pytest.raises(AccessTokenRefused):
        await auth.exchange(issued.access_token)


async def test_a_token_from_the_future_is_refused(auth: Identity, issued: IssuedTokens) -> None:
    now = auth.clock.now()
    auth.clock.set(now.replace(hour=now.hour - 2))

    with pytest.raises(AccessTokenRefused):
        await auth.exchange(issued.access_token)


async def test_an_internal_token_is_no_access_token(auth: Identity, issued: IssuedTokens) -> None:
    internal = await auth.exchange(issued.access_token)

    with pytest.raises(AccessTokenRefused):
        await auth.exchange(internal.token)


@pytest.mark.parametrize("audience", ["", "svc:gateway", "svc:workflow ", "autoworker-api"])
async def test_there_are_tokens_for_known_services_only(
    auth: Identity, issued: IssuedTokens, audience: str
) -> None:
    with pytest.raises(InputInvalid):
        await auth.exchange(issued.access_token, audience)


async def test_a_refusal_is_audited_with_a_reason_that_the_caller_does_not_get(
    auth: Identity,
) -> None:
    with pytest.raises(AccessTokenRefused) as caught:
        await auth.exchange("not.a.token")

    assert auth.audit.entries[-1] == (
        "access_token_refused",
        {"reason": "shape", "actor": "svc:gateway"},
    )
    assert str(caught.value) == "The access token is not valid"


async def test_exchanging_writes_nothing_and_reads_session_and_roles_once_a_second(
    auth: Identity, issued: IssuedTokens
) -> None:
    reads = 0
    database = auth.stores.database

    async def counting(*args: object) -> object:
        nonlocal reads
        reads += 1
        return await original(*args)  # type: ignore[arg-type]

    async def refusing(*_: object) -> object:
        raise AssertionError("verifying must not write")

    original = database.read
    database.read, database.write = counting, refusing  # type: ignore[method-assign, assignment]
    for _ in range(20):
        await auth.exchange(issued.access_token)
    auth.clock.advance(1.0)
    await auth.exchange(issued.access_token)

    assert reads == 4


async def test_what_another_replica_revokes_is_refused_within_a_second(
    auth: Identity, issued: IssuedTokens
) -> None:
    await auth.exchange(issued.access_token)
    await auth.stores.database.write(
        lambda connection: connection.execute("UPDATE sessions SET revoked_at = 1")
    )

    auth.clock.advance(1.0)

    with pytest.raises(AccessTokenRefused):
        await auth.exchange(issued.access_token)


async def test_a_role_that_was_taken_away_is_gone(auth: Identity, issued: IssuedTokens) -> None:
    await auth.stores.database.write(
        lambda connection: connection.execute("UPDATE users SET roles = ''")
    )

    assert claims((await auth.exchange(issued.access_token)).token)["permissions"] == []


async def test_a_session_of_somebody_else_is_refused(auth: Identity, issued: IssuedTokens) -> None:
    eve = await auth.register("eve@example.com")
    await auth.stores.database.write(
        lambda connection: connection.execute("UPDATE sessions SET user_id = ?", (eve.id,))
    )

    with pytest.raises(AccessTokenRefused):
        await auth.exchange(issued.access_token)


def test_refusals_are_told_apart_by_nobody_outside() -> None:
    first, second = AccessTokenRefused("expired"), AccessTokenRefused("shape")

    assert (first.message, first.details) == (second.message, second.details)
    assert dataclasses.is_dataclass(IssuedTokens)
