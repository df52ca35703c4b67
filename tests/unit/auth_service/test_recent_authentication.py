"""Sensitive changes want somebody who is there right now."""

from datetime import timedelta

import pytest

from auth_service.application.guessing import Guesses
from auth_service.application.owned_methods import OwnedMethods
from auth_service.application.ports import Change, RevocationKind
from auth_service.application.ports.mfa import FactorsChanged
from auth_service.application.recent_authentication import PasswordOrRecentLogin, Presence
from auth_service.config import Settings
from auth_service.domain.errors import (
    RecentAuthenticationNeeded,
    TooManyGuesses,
    UserNotFound,
    WrongPassword,
)
from auth_service.domain.mfa.errors import StepUpRequired
from auth_service.domain.mfa.factors import Factor, FactorKind
from auth_service.domain.mfa.proofs import Proof
from auth_service.domain.user import User
from chassis.caching.memory import MemoryLimits
from tests.unit.auth_service.fakes import HOME, PASSWORD, Identity, session_of


def presence(auth: Identity) -> PasswordOrRecentLogin:
    return PasswordOrRecentLogin(
        auth.stores.users,
        auth.stores.sessions,
        OwnedMethods(auth.stores.mfa.factors, auth.stores.mfa.recovery),
        auth.hasher,
        Guesses(MemoryLimits(auth.clock), Settings().guesses),
        auth.audit,
        auth.clock,
    )


async def here(auth: Identity, password: str | None = None) -> tuple[User, Presence]:
    user = await auth.register()
    issued = await auth.login()
    return user, Presence("default", user.id, session_of(issued), HOME, password)


async def test_a_login_just_now_is_enough(auth: Identity) -> None:
    user, caller = await here(auth)
    auth.clock.advance(300)

    assert await presence(auth).require(caller) == user


@pytest.mark.parametrize("seconds", [301, -301])
async def test_an_old_login_or_one_of_the_future_is_not(auth: Identity, seconds: float) -> None:
    _, caller = await here(auth)
    auth.clock.set(auth.clock.now() + timedelta(seconds=seconds))

    with pytest.raises(RecentAuthenticationNeeded):
        await presence(auth).require(caller)


async def test_a_password_is_enough_at_any_time(auth: Identity) -> None:
    user, caller = await here(auth, PASSWORD)
    auth.clock.advance(3600)

    assert await presence(auth).require(caller) == user


async def test_a_wrong_password_is_refused_even_after_a_fresh_login(auth: Identity) -> None:
    _, caller = await here(auth, "not it")

    with pytest.raises(WrongPassword):
        await presence(auth).require(caller)


async def test_passwords_cannot_be_guessed_with_a_stolen_session(auth: Identity) -> None:
    _, wrong = await here(auth, "not it")
    guard = presence(auth)
    for _ in range(10):
        with pytest.raises(WrongPassword):
            await guard.require(wrong)

    with pytest.raises(TooManyGuesses):
        await guard.require(wrong)


async def test_nobody_is_nobody(auth: Identity) -> None:
    with pytest.raises(UserNotFound):
        await presence(auth).require(Presence("default", "nobody", "s", HOME, PASSWORD))


async def with_factor(auth: Identity, user: User) -> None:
    now = auth.clock.now()
    factor = Factor("f", user.id, user.tenant, FactorKind.TOTP, "", now)
    await auth.stores.mfa.factors.enrol(factor)
    await auth.stores.mfa.factors.confirm(factor, FactorsChanged(user.tenant, user.id, now, now))


async def test_who_has_a_second_factor_must_have_given_it_whatever_the_password(
    auth: Identity,
) -> None:
    user, caller = await here(auth, PASSWORD)
    await with_factor(auth, user)

    with pytest.raises(StepUpRequired) as caught:
        await presence(auth).require(caller)

    details = {problem.field: problem.message for problem in caught.value.details}
    assert details == {"methods": "totp", "max_age": "300"}


async def test_a_second_factor_given_just_now_is_enough(auth: Identity) -> None:
    user, caller = await here(auth)
    await with_factor(auth, user)
    now = auth.clock.now()
    change = Change(RevocationKind.PRINCIPAL, user.id, now)
    await auth.stores.sessions.prove(caller.session_id, Proof(now, ("pwd", "otp", "mfa")), change)

    assert await presence(auth).require(caller) == user
    auth.clock.advance(301)
    with pytest.raises(StepUpRequired):
        await presence(auth).require(caller)
