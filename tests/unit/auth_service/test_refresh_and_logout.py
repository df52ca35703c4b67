"""Sessions: how they go on and how they end."""

import asyncio

import pytest

from auth_service.application.grants import IssuedTokens
from auth_service.domain.errors import AccessTokenRefused, RefreshTokenRefused
from tests.unit.auth_service.fakes import Identity

DAY = 24 * 3600
REVOKED = "io.autoworker.auth.session-revoked.v1"


@pytest.fixture
async def issued(auth: Identity) -> IssuedTokens:
    await auth.register()
    return await auth.login()


async def session_of(auth: Identity, access_token: str) -> str:
    rows = await auth.stores.database.read(
        lambda connection: connection.execute("SELECT id FROM sessions").fetchall()
    )
    (row,) = rows
    return str(row[0])


async def test_a_refresh_token_gives_an_access_token_and_its_own_successor(
    auth: Identity, issued: IssuedTokens
) -> None:
    renewed = await auth.refresh(issued.refresh_token)

    assert renewed.refresh_token != issued.refresh_token
    assert (await auth.exchange(renewed.access_token)).token
    assert (await auth.refresh(renewed.refresh_token)).access_token


async def test_a_spent_token_kills_the_whole_family(auth: Identity, issued: IssuedTokens) -> None:
    renewed = await auth.refresh(issued.refresh_token)
    await auth.exchange(renewed.access_token)

    with pytest.raises(RefreshTokenRefused):
        await auth.refresh(issued.refresh_token)

    with pytest.raises(RefreshTokenRefused):
        await auth.refresh(renewed.refresh_token)
    for token in (issued.access_token, renewed.access_token):
        with pytest.raises(AccessTokenRefused):
            await auth.exchange(token)
    assert (await auth.announced())[1:] == [REVOKED]


async def test_an_old_generation_kills_it_too(auth: Identity, issued: IssuedTokens) -> None:
    latest = await auth.refresh((await auth.refresh(issued.refresh_token)).refresh_token)

    with pytest.raises(RefreshTokenRefused):
        await auth.refresh(issued.refresh_token)

    with pytest.raises(RefreshTokenRefused):
        await auth.refresh(latest.refresh_token)


async def test_reuse_is_audited_with_its_generation(auth: Identity, issued: IssuedTokens) -> None:
    await auth.refresh(issued.refresh_token)
    with pytest.raises(RefreshTokenRefused):
        await auth.refresh(issued.refresh_token)

    name, facts = auth.audit.entries[-1]
    assert (name, facts["generation"], facts["revoked"]) == ("refresh_reused", 1, True)


async def test_of_fifty_simultaneous_uses_one_succeeds_and_the_family_is_dead(
    auth: Identity, issued: IssuedTokens
) -> None:
    outcomes = await asyncio.gather(
        *(auth.refresh(issued.refresh_token) for _ in range(50)), return_exceptions=True
    )

    winners = [outcome for outcome in outcomes if isinstance(outcome, IssuedTokens)]
    assert len(winners) == 1
    with pytest.raises(RefreshTokenRefused):
        await auth.refresh(winners[0].refresh_token)
    assert (await auth.announced()).count(REVOKED) == 1


async def test_another_session_of_the_same_user_lives_on(
    auth: Identity, issued: IssuedTokens
) -> None:
    other = await auth.login()
    await auth.refresh(issued.refresh_token)
    with pytest.raises(RefreshTokenRefused):
        await auth.refresh(issued.refresh_token)

    assert (await auth.refresh(other.refresh_token)).access_token


@pytest.mark.parametrize("token", ["", "x", "A" * 43, "A" * 44, "ä" * 43, "A" * 42 + "\n"])
async def test_what_was_never_issued_is_refused(auth: Identity, token: str) -> None:
    with pytest.raises(RefreshTokenRefused):
        await auth.refresh(token)


async def test_an_access_token_is_no_refresh_token(auth: Identity, issued: IssuedTokens) -> None:
    with pytest.raises(RefreshTokenRefused):
        await auth.refresh(issued.access_token)


async def test_a_refresh_token_lives_for_thirty_days(auth: Identity, issued: IssuedTokens) -> None:
    auth.clock.advance(30 * DAY - 1)
    renewed = await auth.refresh(issued.refresh_token)

    auth.clock.advance(30 * DAY)
    with pytest.raises(RefreshTokenRefused):
        await auth.refresh(renewed.refresh_token)


async def test_the_store_never_sees_a_refresh_token(auth: Identity, issued: IssuedTokens) -> None:
    dump = await auth.stores.database.read(lambda connection: "\n".join(connection.iterdump()))

    assert issued.refresh_token not in dump
    assert issued.access_token not in dump


async def test_logout_ends_the_session_at_once(auth: Identity, issued: IssuedTokens) -> None:
    await auth.exchange(issued.access_token)
    user = await auth.stores.users.find_by_email("default", "ada@example.com")
    assert user is not None

    await auth.logout(user, await session_of(auth, issued.access_token))

    with pytest.raises(AccessTokenRefused):
        await auth.exchange(issued.access_token)
    with pytest.raises(RefreshTokenRefused):
        await auth.refresh(issued.refresh_token)


async def test_logging_out_twice_changes_nothing(auth: Identity, issued: IssuedTokens) -> None:
    user = await auth.stores.users.find_by_email("default", "ada@example.com")
    assert user is not None
    session_id = await session_of(auth, issued.access_token)

    await auth.logout(user, session_id)
    await auth.logout(user, session_id)

    assert (await auth.announced()).count(REVOKED) == 1
    assert auth.audit.names().count("logged_out") == 1


async def test_nobody_logs_somebody_else_out(auth: Identity, issued: IssuedTokens) -> None:
    eve = await auth.register("eve@example.com")

    await auth.logout(eve, await session_of(auth, issued.access_token))

    assert (await auth.exchange(issued.access_token)).token
