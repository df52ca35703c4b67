"""Administrators help those who have lost their second factors."""

import pytest

from auth_service.application.actor import Actor
from auth_service.application.commands.change_factors import (
    ResetFactors,
)
from auth_service.application.commands.ensure_first_administrator import EnsureFirstAdministrator
from auth_service.application.commands.login import Login
from auth_service.application.queries.list_factors import ListFactors
from auth_service.application.recent_authentication import Presence
from auth_service.domain.access_errors import RoleTooPowerful
from auth_service.domain.errors import UserNotFound
from auth_service.domain.permissions import PERMISSIONS
from tests.component.auth_service.gateway import says
from tests.unit.auth_service.fakes import HOME, PASSWORD, Identity, session_of
from tests.unit.auth_service.mfa.person import Person


def reset(who: Presence, user_id: str, *permissions: str) -> ResetFactors:
    held = frozenset(permissions) or PERMISSIONS
    return ResetFactors(who, Actor(who.tenant, who.user_id, held, who.session_id), user_id)


async def administrator(auth: Identity) -> Presence:
    await auth.app.commands.ensure_first_administrator(
        EnsureFirstAdministrator("default", "root@example.com", PASSWORD)
    )
    issued = await auth.app.commands.login(Login("default", "root@example.com", PASSWORD, HOME))
    claims = says(issued.access_token)
    return Presence("default", str(claims["sub"]), session_of(issued), HOME)


async def test_an_administrator_helps_who_lost_everything(guarded: Person) -> None:
    actor = await administrator(guarded.auth)
    await guarded.auth.mailed()

    await guarded.auth.app.mfa.reset(reset(actor, guarded.user.id))

    assert says((await guarded.login()).access_token)["acr"] == "aal1"
    (letter,) = await guarded.auth.mailed()
    assert letter.facts["change"] == "an administrator took away your second factors"
    name, facts = next(each for each in guarded.auth.audit.entries if each[0] == "factors_reset")
    assert (name, facts["actor"], facts["target"]) == (
        "factors_reset",
        actor.user_id,
        guarded.user.id,
    )
    with pytest.raises(UserNotFound):
        await guarded.auth.app.mfa.reset(reset(actor, "unknown"))


async def test_nobody_opens_the_account_of_somebody_mightier(guarded: Person) -> None:
    actor = await administrator(guarded.auth)

    with pytest.raises(RoleTooPowerful):
        await guarded.auth.app.mfa.reset(reset(actor, guarded.user.id, "users:write"))
    assert await kinds(guarded) == ["totp"]


async def kinds(ada: Person) -> list[str]:
    own = await ada.auth.app.mfa.factors(ListFactors(ada.session))
    return [factor.kind.value for factor in own.factors]
