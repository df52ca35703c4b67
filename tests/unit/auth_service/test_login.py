"""Login, and what guessers meet."""

import asyncio
from dataclasses import replace

import pytest

from auth_service.application.guessing import GuessPolicy
from auth_service.config import Settings
from auth_service.domain.errors import InputInvalid, TooManyGuesses, WrongCredentials
from auth_service.domain.session import Origin
from chassis.errors import ServiceError
from tests.unit.auth_service.fakes import EMAIL, HOME, PASSWORD, Identity, identity

ELSEWHERE = Origin("203.0.113.99")


async def fails(auth: Identity, email: str = EMAIL, origin: Origin = ELSEWHERE) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        await auth.login(email, "Wrong-Password-1", origin)
    return caught.value


async def test_the_right_password_opens_a_session(auth: Identity) -> None:
    await auth.register()

    issued = await auth.login()

    assert issued.expires_in == 600
    assert len(issued.refresh_token) == 43
    assert auth.audit.names()[-1] == "logged_in"


async def test_the_address_may_be_written_in_any_case(auth: Identity) -> None:
    await auth.register()

    assert (await auth.login(" ADA@EXAMPLE.COM")).access_token


async def test_unknown_user_and_wrong_password_look_alike_and_cost_alike(auth: Identity) -> None:
    await auth.register()

    wrong = await fails(auth)
    unknown = await fails(auth, "nobody@example.com")

    assert isinstance(wrong, WrongCredentials)
    assert (type(wrong), str(wrong), wrong.details) == (type(unknown), str(unknown), ())
    assert auth.hasher.compared[1:] == [auth.hasher.decoy]
    assert len(auth.hasher.compared) == 2


async def test_no_password_is_that_of_an_unknown_user(auth: Identity) -> None:
    with pytest.raises(WrongCredentials):
        await auth.login("nobody@example.com", auth.hasher.decoy.partition(":")[2] + "x")


@pytest.mark.parametrize(
    ("email", "password", "fields"),
    [
        ("", "", ["email", "password"]),
        ("x" * 1000, PASSWORD, ["email"]),
        (EMAIL, "x" * 2000, ["password"]),
    ],
)
async def test_what_cannot_be_credentials_is_refused_unhashed(
    auth: Identity, email: str, password: str, fields: list[str]
) -> None:
    with pytest.raises(InputInvalid) as caught:
        await auth.login(email, password)

    assert [problem.field for problem in caught.value.details] == fields
    assert auth.hasher.compared == []


async def test_guesses_at_an_account_end_after_ten(auth: Identity) -> None:
    await auth.register()

    failures = [await fails(auth, origin=Origin(f"203.0.113.{n}")) for n in range(12)]

    assert [type(failure) for failure in failures[:10]] == [WrongCredentials] * 10
    assert [type(failure) for failure in failures[10:]] == [TooManyGuesses] * 2
    assert failures[-1].retry_after == pytest.approx(30)


async def test_an_unknown_account_is_throttled_just_the_same(auth: Identity) -> None:
    failures = [await fails(auth, "nobody@example.com") for _ in range(11)]

    assert isinstance(failures[9], WrongCredentials)
    assert isinstance(failures[10], TooManyGuesses)


async def test_spellings_of_one_account_are_one_account(auth: Identity) -> None:
    for spelling in (
        "ada@example.com",
        "ADA@example.com",
        " ada@EXAMPLE.com",
        "\uff41da@example.com",
    ):
        for _ in range(3):
            failure = await fails(auth, spelling)

    assert isinstance(failure, TooManyGuesses)


async def test_a_burst_of_guesses_gets_no_more_than_ten_looked_at(auth: Identity) -> None:
    await auth.register()

    failures = await asyncio.gather(*(fails(auth) for _ in range(50)))

    assert sum(isinstance(failure, WrongCredentials) for failure in failures) == 10
    assert len(auth.hasher.compared) == 10


async def test_after_a_while_one_may_guess_again(auth: Identity) -> None:
    await auth.register()
    for _ in range(11):
        failure = await fails(auth)
    assert failure.retry_after is not None

    auth.clock.advance(failure.retry_after)

    assert (await auth.login(origin=ELSEWHERE)).access_token


async def test_strangers_who_guess_do_not_lock_the_owner_out(auth: Identity) -> None:
    await auth.register()
    await auth.login(origin=HOME)

    for _ in range(20):
        failure = await fails(auth)

    assert isinstance(failure, TooManyGuesses)
    assert (await auth.login(origin=HOME)).access_token


async def test_success_is_never_throttled(auth: Identity) -> None:
    await auth.register()

    for _ in range(30):
        await auth.login()


async def test_spraying_from_one_network_ends_whatever_the_account() -> None:
    settings = replace(Settings(), guesses=GuessPolicy(per_account=10, per_network=5))
    async with identity(settings) as auth:
        failures = [
            await fails(auth, f"user{n}@example.com", Origin(f"2001:db8::{n}")) for n in range(7)
        ]

    assert isinstance(failures[4], WrongCredentials)
    assert isinstance(failures[5], TooManyGuesses)


async def test_an_outdated_hash_is_renewed_at_login(auth: Identity) -> None:
    user = await auth.register()
    auth.hasher.version = 2

    await auth.login()
    await auth.login()

    renewed = await auth.stores.users.find(user.tenant, user.id)
    assert renewed is not None
    assert renewed.password_hash == f"v2:{PASSWORD}"
    assert auth.hasher.compared == [f"v1:{PASSWORD}", f"v2:{PASSWORD}"]


async def test_refusals_are_audited(auth: Identity) -> None:
    for _ in range(11):
        await fails(auth)

    assert auth.audit.names().count("login_failed") == 10
    assert auth.audit.names().count("login_throttled") == 1


async def test_a_password_in_the_wrong_field_is_not_logged(auth: Identity) -> None:
    await fails(auth, "My-Secret-Password-1")

    assert "secret" not in str(auth.audit.entries).lower()
    assert auth.audit.entries[-1][1]["email"] == "malformed"
