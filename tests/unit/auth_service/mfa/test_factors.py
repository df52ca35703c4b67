"""Setting second factors up, proving oneself again, and taking factors away."""

from dataclasses import replace

import pytest

from auth_service.application.commands.change_factors import (
    RemoveFactor,
    RenewRecoveryCodes,
)
from auth_service.application.commands.enrol_factor import EnrolEmail, EnrolSms, EnrolTotp
from auth_service.application.mfa.entrance import Extras
from auth_service.application.ports import RevocationKind
from auth_service.application.queries.list_factors import ListFactors
from auth_service.application.recent_authentication import Presence
from auth_service.config import Settings
from auth_service.config.mfa import MfaSettings
from auth_service.domain.errors import (
    InputInvalid,
    RecentAuthenticationNeeded,
    WrongPassword,
)
from auth_service.domain.mfa.errors import (
    CodeInvalid,
    CodeRefused,
    EmailNotVerified,
    FactorNotFound,
    NoFactor,
    NothingToConfirm,
    StepUpRequired,
    TooManyCodes,
)
from auth_service.domain.mfa.factors import FactorKind, Method
from auth_service.domain.mfa_requirement import Requirement
from tests.component.auth_service.gateway import says
from tests.unit.auth_service.fakes import HOME, PASSWORD, identity, session_of
from tests.unit.auth_service.mfa.person import PHONE, Person, person

OLD = 301


async def remove(ada: Person, kind: FactorKind) -> None:
    own = await ada.auth.app.mfa.factors(ListFactors(ada.session))
    (factor,) = [each for each in own.factors if each.kind is kind]
    await ada.auth.app.mfa.remove(RemoveFactor(ada.presence, factor.id))


async def kinds(ada: Person) -> list[str]:
    own = await ada.auth.app.mfa.factors(ListFactors(ada.session))
    return [factor.kind.value for factor in own.factors]


async def test_an_app_gets_its_seed_once_and_the_first_factor_brings_recovery_codes(
    ada: Person,
) -> None:
    made = await ada.auth.app.mfa.enrol_totp(EnrolTotp(ada.presence))
    ada.secret = made.secret
    assert made.uri.startswith("otpauth://totp/Autoworker:ada%40example.com?secret=")
    assert len(made.secret) == 32

    confirmed = await ada.confirm(FactorKind.TOTP, ada.otp())

    assert len(set(confirmed.recovery_codes)) == 10
    assert await kinds(ada) == ["totp"]
    assert made.secret not in repr(confirmed)
    *_, letter = await ada.auth.mailed()
    assert (letter.template, letter.recipient) == ("factors-changed", "ada@example.com")


async def test_confirming_proves_the_factor_to_the_session(guarded: Person) -> None:
    live = await guarded.auth.stores.sessions.find_live(guarded.session, guarded.auth.clock.now())

    assert live is not None
    assert live.proof.amr == ("pwd", "otp", "mfa")
    assert live.has_factor


async def test_the_code_that_confirmed_opens_nothing_afterwards(guarded: Person) -> None:
    with pytest.raises(CodeRefused):
        await guarded.login(Extras(otp=guarded.otp()))


async def test_a_second_factor_is_set_up_only_by_who_logged_in_just_now(ada: Person) -> None:
    ada.auth.clock.advance(OLD)

    with pytest.raises(RecentAuthenticationNeeded):
        await ada.auth.app.mfa.enrol_totp(EnrolTotp(ada.presence))
    with pytest.raises(WrongPassword):
        await ada.auth.app.mfa.enrol_totp(EnrolTotp(replace(ada.presence, password="x")))
    with_password = replace(ada.presence, password=PASSWORD)
    assert (await ada.auth.app.mfa.enrol_totp(EnrolTotp(with_password))).secret


async def test_five_wrong_codes_end_an_enrolment(ada: Person) -> None:
    await ada.auth.app.mfa.enrol_totp(EnrolTotp(ada.presence))
    for _ in range(5):
        with pytest.raises(CodeInvalid):
            await ada.confirm(FactorKind.TOTP, "000000")

    with pytest.raises(TooManyCodes):
        await ada.confirm(FactorKind.TOTP, "000000")


async def test_an_enrolment_waits_for_a_quarter_of_an_hour(ada: Person) -> None:
    made = await ada.auth.app.mfa.enrol_totp(EnrolTotp(ada.presence))
    ada.secret = made.secret
    ada.auth.clock.advance(901)

    with pytest.raises(NothingToConfirm):
        await ada.confirm(FactorKind.TOTP, ada.otp())
    with pytest.raises(NothingToConfirm):
        await ada.confirm(FactorKind.SMS, "000000")


async def test_telephones_and_addresses_are_proved_by_a_code(ada: Person) -> None:
    await ada.enrol_sms()
    assert ada.pocket.messages[0][0] == PHONE
    assert (await ada.enrol_email()).recovery_codes == ()
    assert set(await kinds(ada)) == {"sms", "email"}


async def test_nonsense_is_no_telephone_number(ada: Person) -> None:
    with pytest.raises(InputInvalid):
        await ada.auth.app.mfa.enrol_sms(EnrolSms(ada.presence, "12345"))


async def test_codes_go_only_to_a_confirmed_address() -> None:
    async with identity() as auth:
        user = await auth.register()
        presence = Presence(user.tenant, user.id, session_of(await auth.login()), HOME)

        with pytest.raises(EmailNotVerified):
            await auth.app.mfa.enrol_email(EnrolEmail(presence))


async def test_a_code_for_one_enrolment_confirms_no_other(ada: Person) -> None:
    await ada.auth.app.mfa.enrol_sms(EnrolSms(ada.presence, PHONE))
    old = ada.texted()
    await ada.auth.app.mfa.enrol_sms(EnrolSms(ada.presence, "+14155552671"))

    if old != ada.texted():
        with pytest.raises(CodeInvalid):
            await ada.confirm(FactorKind.SMS, old)
    await ada.confirm(FactorKind.SMS, ada.texted())


async def test_no_factor_changes_without_the_old_one(guarded: Person) -> None:
    guarded.auth.clock.advance(OLD)
    mfa, presence = guarded.auth.app.mfa, replace(guarded.presence, password=PASSWORD)

    for change in (
        mfa.enrol_totp(EnrolTotp(presence)),
        mfa.enrol_sms(EnrolSms(presence, PHONE)),
        mfa.enrol_email(EnrolEmail(presence)),
        mfa.remove(RemoveFactor(presence, "any")),
        mfa.renew_recovery_codes(RenewRecoveryCodes(presence)),
    ):
        with pytest.raises(StepUpRequired):
            await change

    await guarded.step_up(Method.TOTP, guarded.fresh_otp())
    assert (await mfa.enrol_totp(EnrolTotp(presence))).secret


async def test_a_text_message_does_not_do_away_with_an_app(guarded: Person) -> None:
    await guarded.enrol_sms()
    guarded.auth.clock.advance(OLD)
    await guarded.send_step_up_code(Method.SMS)
    stepped = await guarded.step_up(Method.SMS, guarded.texted())
    assert stepped.proof.acr == "aal2"

    with pytest.raises(StepUpRequired) as caught:
        await remove(guarded, FactorKind.TOTP)
    assert caught.value.details[0].message == "totp recovery"

    await guarded.step_up(Method.TOTP, guarded.fresh_otp())
    await remove(guarded, FactorKind.TOTP)
    assert await kinds(guarded) == ["sms"]


async def test_who_lost_the_app_gets_a_new_one_by_a_recovery_code(guarded: Person) -> None:
    old = guarded.secret
    await guarded.login(Extras(otp=guarded.recovery[0]))

    await guarded.enrol_totp()

    assert guarded.secret != old
    assert await kinds(guarded) == ["totp"]
    new, guarded.secret = guarded.secret, old
    with pytest.raises(CodeRefused):
        await guarded.login(Extras(otp=guarded.fresh_otp()))
    guarded.secret = new
    assert (await guarded.login(Extras(otp=guarded.fresh_otp()))).access_token


async def test_stepping_up_by_a_password_is_for_those_who_have_nothing_better(
    ada: Person,
) -> None:
    ada.auth.clock.advance(OLD)
    with pytest.raises(WrongPassword):
        await ada.step_up(Method.PASSWORD, "Wrong-Password-1")
    stepped = await ada.step_up(Method.PASSWORD, PASSWORD)
    assert says(stepped.access_token)["auth_time"] == int(ada.auth.clock.now().timestamp())
    await ada.enrol_totp()

    with pytest.raises(StepUpRequired):
        await ada.step_up(Method.PASSWORD, PASSWORD)


async def test_a_step_up_raises_the_session_and_whatever_was_cached_is_stale(
    guarded: Person,
) -> None:
    guarded.auth.clock.advance(OLD)

    stepped = await guarded.step_up(Method.TOTP, guarded.fresh_otp())

    claims = says(stepped.access_token)
    assert (claims["acr"], claims["sid"]) == ("aal2", guarded.session)
    internal = await guarded.auth.exchange(guarded.issued.access_token)
    assert says(internal.token)["amr"] == ["pwd", "otp", "mfa"]
    feed = await guarded.auth.stores.revocations.after(0, now=guarded.auth.clock.now(), limit=9)
    assert (feed[-1].change.kind, feed[-1].change.subject) == (
        RevocationKind.PRINCIPAL,
        guarded.user.id,
    )


async def test_wrong_codes_at_a_step_up_are_counted(guarded: Person) -> None:
    for _ in range(10):
        with pytest.raises(CodeRefused):
            await guarded.step_up(Method.TOTP, "000000")

    with pytest.raises(TooManyCodes):
        await guarded.step_up(Method.TOTP, guarded.fresh_otp())


async def test_new_recovery_codes_void_the_old_ones(guarded: Person) -> None:
    old = guarded.recovery[0]
    new = await guarded.auth.app.mfa.renew_recovery_codes(RenewRecoveryCodes(guarded.presence))

    with pytest.raises(CodeRefused):
        await guarded.login(Extras(otp=old))
    assert (await guarded.login(Extras(otp=new[0]))).access_token


async def test_recovery_codes_alone_make_no_sense(ada: Person) -> None:
    with pytest.raises(NoFactor):
        await ada.auth.app.mfa.renew_recovery_codes(RenewRecoveryCodes(ada.presence))


async def test_a_factor_that_is_not_there_is_not_found(guarded: Person) -> None:
    with pytest.raises(FactorNotFound):
        await guarded.auth.app.mfa.remove(RemoveFactor(guarded.presence, "unknown"))


async def test_a_seed_moved_to_another_row_proves_nothing(guarded: Person) -> None:
    (factor,) = await guarded.auth.stores.mfa.factors.confirmed(guarded.user.id)
    made = await guarded.auth.app.mfa.enrol_totp(EnrolTotp(guarded.presence))
    moved = replace(made.factor, sealed_seed=factor.sealed_seed)
    await guarded.auth.stores.mfa.factors.enrol(moved)

    with pytest.raises(CodeInvalid):
        await guarded.confirm(FactorKind.TOTP, guarded.fresh_otp())
    assert "mfa_seed_broken" in guarded.auth.audit.names()


async def test_who_must_have_a_factor_can_only_get_one_and_then_everything() -> None:
    required = replace(Settings(), mfa=MfaSettings(required=Requirement.ALL))
    async with person(required) as ada:
        before = await ada.auth.exchange(ada.issued.access_token)
        assert says(before.token)["permissions"] == ["factors:write"]

        await ada.enrol_totp()

        after = await ada.auth.exchange(ada.issued.access_token)
        assert "executions:write" in str(says(after.token)["permissions"])
