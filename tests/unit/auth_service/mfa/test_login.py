"""Logging in with a second factor."""

import asyncio
import base64

import pytest

from auth_service.application.commands.rotate_keys import RotateKeys
from auth_service.application.grants import IssuedTokens
from auth_service.application.mfa.entrance import Extras
from auth_service.domain.errors import AccessTokenRefused, WrongCredentials
from auth_service.domain.mfa.errors import (
    ChallengeBurnt,
    CodeRefused,
    MethodNotAvailable,
    MfaTokenRefused,
    SecondFactorNeeded,
    TooManyCodes,
    TooManyCodesSent,
)
from auth_service.domain.mfa.factors import Method
from tests.component.auth_service.gateway import says
from tests.unit.auth_service.mfa.person import Person

WRONG = "000000"


async def test_without_a_factor_a_password_is_enough(ada: Person) -> None:
    claims = says((await ada.login()).access_token)

    assert (claims["acr"], claims["amr"]) == ("aal1", ["pwd"])


async def test_with_a_factor_a_password_alone_says_how_to_go_on(guarded: Person) -> None:
    with pytest.raises(SecondFactorNeeded) as caught:
        await guarded.login()

    details = {each.field: each.message for each in caught.value.details}
    assert details["methods"] == "totp recovery"
    assert details["expires_in"] == "300"
    assert says(details["mfa_token"])["aud"] == "autoworker-mfa"


async def test_a_wrong_password_never_tells_that_there_is_a_factor(guarded: Person) -> None:
    with pytest.raises(WrongCredentials):
        await guarded.auth.login(password="Wrong-Password-1")


async def test_a_code_can_come_with_the_password(guarded: Person) -> None:
    issued = await guarded.login(Extras(otp=guarded.fresh_otp()))

    claims = says(issued.access_token)
    assert (claims["acr"], claims["amr"]) == ("aal2", ["pwd", "otp", "mfa"])


async def test_or_afterwards_with_the_token_of_the_login(guarded: Person) -> None:
    token = await guarded.challenged()

    issued = await guarded.complete(token, Method.TOTP, guarded.fresh_otp())

    assert says(issued.access_token)["acr"] == "aal2"
    with pytest.raises(MfaTokenRefused):
        await guarded.complete(token, Method.TOTP, guarded.fresh_otp())


async def test_a_code_is_good_once_and_so_is_that_of_the_window_before(guarded: Person) -> None:
    code = guarded.fresh_otp()
    await guarded.login(Extras(otp=code))
    for _ in range(2):
        with pytest.raises(CodeRefused):
            await guarded.login(Extras(otp=code))

    before = guarded.fresh_otp()
    guarded.auth.clock.advance(30)
    await guarded.login(Extras(otp=before))
    with pytest.raises(CodeRefused):
        await guarded.login(Extras(otp=before))


async def test_the_token_of_a_login_is_no_access_token(guarded: Person) -> None:
    with pytest.raises(AccessTokenRefused):
        await guarded.auth.exchange(await guarded.challenged())


async def test_an_access_token_is_no_token_of_a_login(guarded: Person) -> None:
    with pytest.raises(MfaTokenRefused):
        await guarded.complete(guarded.issued.access_token, Method.TOTP, guarded.fresh_otp())


async def test_a_login_waits_for_five_minutes(guarded: Person) -> None:
    token = await guarded.challenged()
    guarded.auth.clock.advance(300)

    with pytest.raises(MfaTokenRefused):
        await guarded.complete(token, Method.TOTP, guarded.otp())


async def test_five_wrong_codes_burn_a_login_whatever_comes_then(guarded: Person) -> None:
    token = await guarded.challenged()
    for _ in range(5):
        with pytest.raises(CodeRefused):
            await guarded.complete(token, Method.TOTP, WRONG)

    with pytest.raises(ChallengeBurnt):
        await guarded.complete(token, Method.TOTP, guarded.fresh_otp())


async def test_of_a_thousand_codes_at_once_five_are_looked_at(guarded: Person) -> None:
    token = await guarded.challenged()

    outcomes = await asyncio.gather(
        *(guarded.complete(token, Method.TOTP, f"{code:06d}") for code in range(1_000)),
        return_exceptions=True,
    )

    assert sum(isinstance(outcome, CodeRefused | IssuedTokens) for outcome in outcomes) == 5
    assert sum(isinstance(outcome, ChallengeBurnt) for outcome in outcomes) == 995


async def test_new_logins_give_no_more_tries(guarded: Person) -> None:
    for _ in range(2):
        token = await guarded.challenged()
        for _ in range(5):
            with pytest.raises(CodeRefused):
                await guarded.complete(token, Method.TOTP, WRONG)

    token = await guarded.challenged()
    with pytest.raises(TooManyCodes) as caught:
        await guarded.complete(token, Method.TOTP, guarded.fresh_otp())
    assert caught.value.retry_after == pytest.approx(900, abs=60)


async def test_of_fifty_uses_of_one_code_one_succeeds(guarded: Person) -> None:
    code = guarded.fresh_otp()
    tokens = [await guarded.challenged() for _ in range(10)]

    outcomes = await asyncio.gather(
        *(guarded.complete(token, Method.TOTP, code) for token in tokens for _ in range(5)),
        return_exceptions=True,
    )

    assert sum(isinstance(outcome, IssuedTokens) for outcome in outcomes) == 1


async def test_a_recovery_code_is_good_once_and_its_owner_is_told(guarded: Person) -> None:
    code = guarded.recovery[0]
    await guarded.auth.mailed()

    issued = await guarded.login(Extras(otp=code.lower()))

    assert says(issued.access_token)["amr"] == ["pwd", "recovery", "mfa"]
    with pytest.raises(CodeRefused):
        await guarded.login(Extras(otp=code))
    (letter,) = await guarded.auth.mailed()
    assert letter.facts["change"] == "a recovery code was used, 9 are left"


async def test_a_code_by_mail_is_for_one_login_and_one_use(ada: Person) -> None:
    await ada.enrol_email()
    first, second = await ada.challenged(), await ada.challenged()
    await ada.send_login_code(first, Method.EMAIL)
    code = await ada.mailed()

    with pytest.raises(CodeRefused):
        await ada.complete(second, Method.EMAIL, code)
    issued = await ada.complete(first, Method.EMAIL, code)
    assert says(issued.access_token)["amr"] == ["pwd", "email", "mfa"]


async def test_a_newer_code_voids_the_older_one(ada: Person) -> None:
    await ada.enrol_sms()
    token = await ada.challenged()
    await ada.send_login_code(token, Method.SMS)
    old = ada.texted()
    await ada.send_login_code(token, Method.SMS)

    if old != ada.texted():
        with pytest.raises(CodeRefused):
            await ada.complete(token, Method.SMS, old)
    assert (await ada.complete(token, Method.SMS, ada.texted())).access_token


async def test_codes_are_sent_only_by_a_factor_that_one_has(guarded: Person) -> None:
    token = await guarded.challenged()

    with pytest.raises(MethodNotAvailable):
        await guarded.send_login_code(token, Method.SMS)
    assert guarded.pocket.messages == []


async def test_no_more_codes_are_sent_than_is_borne(ada: Person) -> None:
    await ada.enrol_sms()
    token = await ada.challenged()
    for _ in range(4):
        await ada.send_login_code(token, Method.SMS)

    with pytest.raises(TooManyCodesSent):
        await ada.send_login_code(token, Method.SMS)
    assert len(ada.pocket.messages) == 5


async def test_no_code_and_no_seed_is_kept_as_it_is(ada: Person) -> None:
    await ada.enrol_totp()
    await ada.enrol_sms()
    token = await ada.challenged()
    await ada.send_login_code(token, Method.SMS)

    dump = await ada.auth.stores.database.read(
        lambda connection: "\n".join(
            str(row)
            for (table,) in connection.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table'"
            ).fetchall()
            for row in connection.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608
        )
    )

    assert ada.texted() not in dump
    seed = base64.b32decode(ada.secret)
    assert ada.secret not in dump
    assert repr(seed)[2:-1] not in dump
    assert all(code not in dump for code in ada.recovery)


async def test_a_remembered_device_spares_the_code_once_per_token(guarded: Person) -> None:
    token = await guarded.challenged()
    issued = await guarded.complete(token, Method.TOTP, guarded.fresh_otp(), remember=True)

    again = await guarded.login(Extras(device_token=issued.device_token))

    claims = says(again.access_token)
    assert (claims["acr"], claims["amr"]) == ("aal1", ["pwd", "device"])
    assert again.device_token not in ("", issued.device_token)
    with pytest.raises(SecondFactorNeeded):
        await guarded.login(Extras(device_token=issued.device_token))
    assert (await guarded.login(Extras(device_token=again.device_token))).access_token


async def test_of_fifty_uses_of_a_devices_token_one_succeeds(guarded: Person) -> None:
    issued = await guarded.login(Extras(otp=guarded.fresh_otp(), remember_device=True))

    outcomes = await asyncio.gather(
        *(guarded.login(Extras(device_token=issued.device_token)) for _ in range(50)),
        return_exceptions=True,
    )

    assert sum(isinstance(outcome, IssuedTokens) for outcome in outcomes) == 1


async def test_a_device_is_remembered_for_thirty_days(guarded: Person) -> None:
    issued = await guarded.login(Extras(otp=guarded.fresh_otp(), remember_device=True))
    guarded.auth.clock.advance(30 * 24 * 3600)
    await guarded.auth.app.commands.rotate_keys(RotateKeys())

    with pytest.raises(SecondFactorNeeded):
        await guarded.login(Extras(device_token=issued.device_token))


async def test_a_change_of_factors_forgets_every_device(guarded: Person) -> None:
    issued = await guarded.login(Extras(otp=guarded.fresh_otp(), remember_device=True))
    await guarded.enrol_sms()

    with pytest.raises(SecondFactorNeeded):
        await guarded.login(Extras(device_token=issued.device_token))
