"""Registration, and the first administrator."""

import pytest

from auth_service.application.commands.ensure_first_administrator import (
    EnsureFirstAdministrator,
    FirstAdministrator,
)
from auth_service.domain.errors import EmailTaken, InputInvalid
from auth_service.domain.permissions import Role
from auth_service.domain.policy import PasswordPolicy
from auth_service.domain.tenant import DEFAULT_TENANT
from tests.unit.auth_service.fakes import EMAIL, PASSWORD, Identity


async def ensure_administrator(
    auth: Identity, email: str = "root@example.com", password: str | None = None
) -> FirstAdministrator:
    return await auth.app.commands.ensure_first_administrator(
        EnsureFirstAdministrator(DEFAULT_TENANT, email, password)
    )


async def test_whoever_registers_is_a_user_and_is_announced(auth: Identity) -> None:
    user = await auth.register(name=" Ada ")

    assert (user.email.text, user.name, user.roles) == (EMAIL, "Ada", (Role.USER,))
    assert await auth.announced() == ["io.autoworker.auth.user-registered.v1"]
    assert auth.audit.names() == ["user_registered"]


async def test_an_address_can_be_registered_once_in_whatever_spelling(auth: Identity) -> None:
    await auth.register("ada@example.com")

    with pytest.raises(EmailTaken):
        await auth.register(" ADA@Example.com ")

    assert len(await auth.announced()) == 1


async def test_every_problem_of_every_field_is_told_at_once(auth: Identity) -> None:
    with pytest.raises(InputInvalid) as caught:
        await auth.register("nobody", "short", "a\x00b")

    assert [problem.field for problem in caught.value.details] == [
        "email",
        "password",
        "password",
        "password",
        "name",
    ]
    assert await auth.announced() == []


async def test_a_password_in_another_unicode_form_is_the_same_password(auth: Identity) -> None:
    await auth.register(password="Bro\u0308tchen-um-7")

    assert (await auth.login(password="Br\u00f6tchen-um-7")).access_token


async def test_the_first_administrator_gets_a_password_that_is_shown_once(auth: Identity) -> None:
    email, password = await ensure_administrator(auth)

    assert password is not None
    assert PasswordPolicy().problems(password) == ()
    assert (await auth.login(email, password)).access_token
    assert await ensure_administrator(auth) == ("root@example.com", None)


async def test_a_configured_password_is_never_given_back(auth: Identity) -> None:
    assert await ensure_administrator(auth, password=PASSWORD) == ("root@example.com", None)
    assert (await auth.login("root@example.com")).access_token


async def test_an_administrator_who_is_there_stays_the_only_one(auth: Identity) -> None:
    await ensure_administrator(auth, "first@example.com")

    assert (await ensure_administrator(auth, "second@example.com")).email == "first@example.com"
    assert len(await auth.announced()) == 1


async def test_a_plain_user_does_not_become_administrator_by_address(auth: Identity) -> None:
    await auth.register("root@example.com")

    with pytest.raises(EmailTaken):
        await ensure_administrator(auth, "root@example.com")


async def test_a_weak_configured_password_is_refused(auth: Identity) -> None:
    with pytest.raises(InputInvalid):
        await ensure_administrator(auth, password="weak")


def test_a_password_is_not_shown_by_the_command_that_carries_it() -> None:
    assert PASSWORD not in repr(EnsureFirstAdministrator(DEFAULT_TENANT, EMAIL, PASSWORD))
