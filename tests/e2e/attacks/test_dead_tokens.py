"""Attack 5: tokens after a change of the password, a deactivation, a deletion, or a clock set back."""

import itertools
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from auth_service.application.accounts.leave import SetActive
from auth_service.application.actor import Actor
from auth_service.domain.errors import AccessTokenRefused, AccountDisabled, RefreshTokenRefused
from auth_service.domain.permissions import PERMISSIONS
from chassis.errors import Unauthenticated
from tests.support.account_client import Visitor, registered, visitor
from tests.support.gateway_client import PASSWORD, eventually
from tests.support.suite import Suite
from tests.unit.auth_service.fakes import Identity, identity, session_of

OTHER = "Another-Password-8"
_NUMBERS = itertools.count(1)


@pytest.fixture
def suite(mailing_suite: Suite) -> Suite:
    return mailing_suite


@pytest.fixture
async def admin(suite: Suite) -> AsyncIterator[Visitor]:
    async with visitor(suite.url) as who:
        known = suite.administrator
        assert (await who.login(known.email, known.password))[0] == 200
        yield who


@pytest.fixture
async def victim(suite: Suite) -> AsyncIterator[tuple[Visitor, str, str]]:
    """Somebody with a token, their id and address."""
    async with visitor(suite.url) as who:
        email = f"victim-{next(_NUMBERS)}@example.com"
        yield who, await registered(who, email), email


async def dies(who: Visitor) -> None:
    """Its tokens, of both kinds, are refused soon; how soon is measured in test_revocation.py."""

    async def refused() -> bool:
        return await who.status() == 401

    await eventually(refused, "the end of the session")
    status, _ = await who("POST", "/v1/auth/refresh", {"refresh_token": who.refresh_token})
    assert status == 401
    assert await who.status() == 401


async def test_tokens_die_with_the_password(suite: Suite, victim: tuple[Visitor, str, str]) -> None:
    who, _, email = victim
    async with visitor(suite.url) as thief:
        await thief.login(email)
        assert await thief.status() == 200
        body = {"current_password": PASSWORD, "new_password": OTHER}
        assert (await who("PUT", "/v1/users/me/password", body))[0] == 204

        await dies(thief)
        assert await who.status() == 200


async def test_tokens_die_when_their_user_is_deactivated(
    admin: Visitor, victim: tuple[Visitor, str, str]
) -> None:
    who, user_id, email = victim
    assert await who.status() == 200

    assert (await admin("POST", f"/v1/users/{user_id}/deactivate"))[0] == 200

    await dies(who)
    assert (await who.login(email))[0] == 403
    assert (await admin("POST", f"/v1/users/{user_id}/activate"))[0] == 200
    assert await who.status() == 401
    assert (await who.login(email))[0] == 200


async def test_tokens_and_keys_die_when_their_user_is_deleted(
    suite: Suite, admin: Visitor, victim: tuple[Visitor, str, str]
) -> None:
    who, user_id, _ = victim
    made = {"name": "mine", "permissions": ["workflows:read"]}
    status, key = await who("POST", "/v1/api-keys", made)
    assert status == 201, key
    async with visitor(suite.url, X_API_Key=key["key"]) as program:
        assert (await program("GET", "/v1/workflows"))[0] == 200

        assert (await admin("DELETE", f"/v1/users/{user_id}"))[0] == 204

        await dies(who)

        async def refused() -> bool:
            return (await program("GET", "/v1/workflows"))[0] == 401

        await eventually(refused, "the end of the key")


async def test_an_administrator_logs_somebody_out_everywhere(
    admin: Visitor, victim: tuple[Visitor, str, str]
) -> None:
    who, user_id, email = victim

    assert await admin("DELETE", f"/v1/users/{user_id}/sessions") == (200, {"ended": 1})

    await dies(who)
    assert (await who.login(email))[0] == 200


@pytest.fixture
async def auth() -> AsyncIterator[Identity]:
    async with identity() as it:
        yield it


async def test_a_clock_set_back_revives_no_session(auth: Identity) -> None:
    user = await auth.register()
    ended, alive = await auth.login(), await auth.login()
    await auth.logout(user, session_of(ended))

    auth.clock.set(auth.clock.now() - timedelta(hours=2))

    with pytest.raises(AccessTokenRefused):
        await auth.exchange(ended.access_token)
    with pytest.raises(RefreshTokenRefused):
        await auth.refresh(ended.refresh_token)
    # The control: what was never ended goes on, once the clock is right again.
    auth.clock.set(auth.clock.now() + timedelta(hours=2))
    assert (await auth.exchange(alive.access_token)).expires_in > 0


async def test_a_clock_set_back_revives_no_deactivated_user(auth: Identity) -> None:
    user = await auth.register()
    issued = await auth.login()
    root = Actor("default", "root", frozenset(PERMISSIONS))
    await auth.app.accounts.set_active(SetActive(root, user.id, active=False))

    auth.clock.set(auth.clock.now() - timedelta(hours=2))

    with pytest.raises(Unauthenticated):
        await auth.exchange(issued.access_token)
    with pytest.raises(AccountDisabled):
        await auth.login()
