"""What a stolen session alone must not be enough for."""

from dataclasses import replace

import pytest

from auth_service.application.accounts.change_password import ChangePassword
from auth_service.application.actor import Actor
from auth_service.application.commands.assign_roles import AssignRoles, Grant
from auth_service.application.mfa.entrance import Extras
from auth_service.domain.errors import RecentAuthenticationNeeded
from auth_service.domain.mfa.errors import MfaTokenRefused, SecondFactorNeeded, StepUpRequired
from auth_service.domain.mfa.factors import Method
from auth_service.domain.permissions import PERMISSIONS
from tests.unit.auth_service.fakes import PASSWORD
from tests.unit.auth_service.mfa.person import Person


def grant(ada: Person, *, in_person: bool = True) -> AssignRoles:
    session = ada.session if in_person else ""
    actor = Actor(ada.user.tenant, ada.user.id, PERMISSIONS, session)
    return AssignRoles(actor, ada.user.id, Grant("admin"))


async def test_roles_are_given_by_who_logged_in_just_now(ada: Person) -> None:
    ada.auth.clock.advance(301)
    with pytest.raises(RecentAuthenticationNeeded):
        await ada.auth.app.access.assign_roles(grant(ada))

    await ada.step_up(Method.PASSWORD, PASSWORD)
    assigned = await ada.auth.app.access.assign_roles(grant(ada))
    assert "admin" in assigned.roles


async def test_and_by_who_gave_the_second_factor(guarded: Person) -> None:
    issued = await guarded.login(Extras(otp=guarded.fresh_otp(), remember_device=True))
    await guarded.login(Extras(device_token=issued.device_token))
    with pytest.raises(StepUpRequired):
        await guarded.auth.app.access.assign_roles(grant(guarded))

    await guarded.step_up(Method.TOTP, guarded.fresh_otp())
    assert "admin" in (await guarded.auth.app.access.assign_roles(grant(guarded))).roles


async def test_programs_prove_themselves_by_their_credential(guarded: Person) -> None:
    guarded.auth.clock.advance(3600)

    await guarded.auth.app.access.assign_roles(grant(guarded, in_person=False))

    assert Actor("default", "u", PERMISSIONS).presence is None
    in_person = Actor("default", "u", PERMISSIONS, "session").presence
    assert in_person is not None
    assert in_person.session_id == "session"


async def test_a_new_password_forgets_every_device_and_login_that_waits(guarded: Person) -> None:
    issued = await guarded.login(Extras(otp=guarded.fresh_otp(), remember_device=True))
    presence = replace(guarded.presence, password=PASSWORD)
    guarded.issued = issued
    waiting = await guarded.challenged()

    await guarded.auth.app.accounts.change_password(ChangePassword(presence, "Another-Engine-1843"))

    with pytest.raises(SecondFactorNeeded):
        await guarded.auth.login(password="Another-Engine-1843")
    devices = await guarded.auth.stores.mfa.devices.list(
        guarded.user.tenant, guarded.user.id, guarded.auth.clock.now()
    )
    assert devices == ()
    assert issued.device_token
    with pytest.raises(MfaTokenRefused):
        await guarded.complete(waiting, Method.TOTP, guarded.fresh_otp())
