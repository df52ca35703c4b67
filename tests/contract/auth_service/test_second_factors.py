"""What every store of second factors must do."""

from dataclasses import replace
from datetime import timedelta

import pytest

from auth_service.application.ports import RevocationKind
from auth_service.application.ports.mail import OutgoingMail
from auth_service.application.ports.mfa import Burnt, Gone, Tried
from auth_service.bootstrap.stores import Stores
from auth_service.domain.events import AccountFact, FactKind
from auth_service.domain.mfa.challenges import MAX_TRIES, Quota
from auth_service.domain.mfa.factors import FactorKind, Method
from auth_service.domain.user import User
from tests.contract.auth_service.conftest import LIFE, NOW, Maker
from tests.contract.auth_service.mfa_maker import MfaMaker

HOUR = timedelta(hours=1)


@pytest.fixture
def mfa(make: Maker, ada: User) -> MfaMaker:
    return MfaMaker(make.ids, ada)


async def test_a_factor_counts_once_it_is_confirmed(stores: Stores, mfa: MfaMaker) -> None:
    factor = mfa.factor()
    await stores.mfa.factors.enrol(factor)
    assert await stores.mfa.factors.confirmed(mfa.user.id) == ()
    assert await stores.mfa.factors.pending(mfa.user.id, FactorKind.TOTP) == factor

    assert await stores.mfa.factors.confirm(factor, mfa.change())

    (confirmed,) = await stores.mfa.factors.confirmed(mfa.user.id)
    assert (confirmed.id, confirmed.confirmed_at) == (factor.id, NOW)
    assert await stores.mfa.factors.pending(mfa.user.id, FactorKind.TOTP) is None
    assert not await stores.mfa.factors.confirm(factor, mfa.change())


async def test_a_second_enrolment_takes_the_place_of_the_first(
    stores: Stores, mfa: MfaMaker
) -> None:
    first, second = mfa.factor(), mfa.factor()
    await stores.mfa.factors.enrol(first)
    await stores.mfa.factors.enrol(second)

    assert await stores.mfa.factors.pending(mfa.user.id, FactorKind.TOTP) == second
    assert not await stores.mfa.factors.confirm(first, mfa.change())


async def test_a_factor_goes_only_when_its_successor_is_confirmed(
    stores: Stores, mfa: MfaMaker
) -> None:
    old = await mfa.enrolled(stores)
    new = mfa.factor()
    await stores.mfa.factors.enrol(new)
    assert [each.id for each in await stores.mfa.factors.confirmed(mfa.user.id)] == [old.id]

    assert await stores.mfa.factors.confirm(new, mfa.change())
    assert [each.id for each in await stores.mfa.factors.confirmed(mfa.user.id)] == [new.id]


async def test_confirming_what_is_gone_leaves_the_factor_that_counts(
    stores: Stores, mfa: MfaMaker
) -> None:
    old = await mfa.enrolled(stores)

    assert not await stores.mfa.factors.confirm(mfa.factor(), mfa.change())
    assert [each.id for each in await stores.mfa.factors.confirmed(mfa.user.id)] == [old.id]


async def test_a_change_of_factors_forgets_devices_and_is_told(
    stores: Stores, mfa: MfaMaker
) -> None:
    await stores.mfa.devices.add(mfa.device(b"d" * 32))
    await mfa.enrolled(stores)

    assert await stores.mfa.devices.list("default", mfa.user.id, NOW) == ()
    (entry,) = await stores.revocations.after(0, now=NOW, limit=9)
    assert (entry.change.kind, entry.change.subject) == (RevocationKind.PRINCIPAL, mfa.user.id)


async def test_mails_and_events_are_kept_with_the_change_or_not_at_all(
    stores: Stores, mfa: MfaMaker, make: Maker
) -> None:
    user = mfa.user
    fact = AccountFact(make.ids.new(), FactKind.FACTORS_CHANGED, user.tenant, user.id, NOW)
    mail = OutgoingMail(make.ids.new(), user.tenant, b"sealed", NOW, NOW + LIFE)
    change = replace(mfa.change(), events=(fact,), mails=(mail,))

    assert not await stores.mfa.factors.remove("unknown", change)
    assert await stores.mails.due(NOW, 9) == []
    totp = await mfa.enrolled(stores)
    assert await stores.mfa.factors.remove(totp.id, change)

    assert [each.id for each in await stores.mails.due(NOW, 9)] == [mail.id]
    types = [event.type for _, event in await stores.log.read_log(0, 9)]
    assert types[-1] == "io.autoworker.auth.factors-changed.v1"


async def test_removing_the_last_factor_takes_the_recovery_codes_with_it(
    stores: Stores, mfa: MfaMaker
) -> None:
    totp, mail = await mfa.enrolled(stores), await mfa.enrolled(stores, FactorKind.EMAIL)
    await stores.mfa.recovery.replace(mfa.user.id, [b"1", b"2"], NOW)

    assert await stores.mfa.factors.remove(totp.id, mfa.change())
    assert not await stores.mfa.factors.remove(totp.id, mfa.change())
    assert await stores.mfa.recovery.left(mfa.user.id) == 2
    assert await stores.mfa.factors.remove(mail.id, mfa.change())
    assert await stores.mfa.recovery.left(mfa.user.id) == 0


async def test_nobody_removes_somebody_elses_factor(
    stores: Stores, mfa: MfaMaker, make: Maker
) -> None:
    totp = await mfa.enrolled(stores)
    eve = make.user("eve@example.com")
    await stores.users.add(make.registered(eve))

    assert not await stores.mfa.factors.remove(totp.id, MfaMaker(make.ids, eve).change())
    assert await stores.mfa.factors.remove_all(MfaMaker(make.ids, eve).change()) == 0
    assert len(await stores.mfa.factors.confirmed(mfa.user.id)) == 1


async def test_a_reset_drops_everything(stores: Stores, mfa: MfaMaker) -> None:
    await mfa.enrolled(stores)
    await stores.mfa.factors.enrol(mfa.factor(FactorKind.SMS))
    await stores.mfa.recovery.replace(mfa.user.id, [b"1"], NOW)

    assert await stores.mfa.factors.remove_all(mfa.change()) == 1
    assert await stores.mfa.factors.pending(mfa.user.id, FactorKind.SMS) is None
    assert await stores.mfa.recovery.left(mfa.user.id) == 0


async def test_time_steps_only_go_up(stores: Stores, mfa: MfaMaker) -> None:
    totp = await mfa.enrolled(stores)

    assert await stores.mfa.factors.spend_step(totp.id, 100, NOW)
    assert not await stores.mfa.factors.spend_step(totp.id, 100, NOW)
    assert not await stores.mfa.factors.spend_step(totp.id, 99, NOW)
    assert await stores.mfa.factors.spend_step(totp.id, 101, NOW)


async def test_new_recovery_codes_void_the_old_ones(stores: Stores, mfa: MfaMaker) -> None:
    await stores.mfa.recovery.replace(mfa.user.id, [b"old"], NOW)
    await stores.mfa.recovery.replace(mfa.user.id, [b"new"], NOW)

    assert not await stores.mfa.recovery.spend(mfa.user.id, b"old", NOW)
    assert not await stores.mfa.recovery.spend("somebody", b"new", NOW)
    assert await stores.mfa.recovery.spend(mfa.user.id, b"new", NOW)
    assert not await stores.mfa.recovery.spend(mfa.user.id, b"new", NOW)


async def test_a_newer_code_voids_an_older_one(stores: Stores, mfa: MfaMaker) -> None:
    old, new = mfa.sent(b"old"), mfa.sent(b"new")
    await stores.mfa.sent.put(old)
    await stores.mfa.sent.put(new)

    assert await stores.mfa.sent.find(new.subject, Method.EMAIL, NOW) == new
    assert not await stores.mfa.sent.spend(new.subject, b"old", NOW)
    assert not await stores.mfa.sent.spend(new.subject, b"new", new.expires_at)
    assert await stores.mfa.sent.spend(new.subject, b"new", NOW)
    assert not await stores.mfa.sent.spend(new.subject, b"new", NOW)
    assert await stores.mfa.sent.find(new.subject, Method.EMAIL, NOW) is None


async def test_a_challenge_is_burnt_after_five_tries(stores: Stores, mfa: MfaMaker) -> None:
    challenge = mfa.challenge()
    await stores.mfa.challenges.add(challenge)

    for _ in range(MAX_TRIES):
        assert await stores.mfa.challenges.attempt(challenge.id, NOW) == Tried(challenge)
    assert await stores.mfa.challenges.attempt(challenge.id, NOW) == Burnt()
    assert await stores.mfa.challenges.find(challenge.id, NOW) is None


async def test_a_challenge_is_met_once_and_in_time(stores: Stores, mfa: MfaMaker) -> None:
    challenge = mfa.challenge()
    await stores.mfa.challenges.add(challenge)

    assert not await stores.mfa.challenges.finish(challenge.id, challenge.expires_at)
    assert await stores.mfa.challenges.finish(challenge.id, NOW)
    assert not await stores.mfa.challenges.finish(challenge.id, NOW)
    assert await stores.mfa.challenges.attempt(challenge.id, NOW) == Gone()
    assert await stores.mfa.challenges.attempt("unknown", NOW) == Gone()


async def test_counters_take_everything_or_nothing(stores: Stores) -> None:
    narrow, wide = Quota("narrow", 1, HOUR), Quota("wide", 3, HOUR)

    assert await stores.mfa.tallies.take([wide, narrow], NOW) is None
    assert await stores.mfa.tallies.take([wide, narrow], NOW) == HOUR.total_seconds()
    assert await stores.mfa.tallies.take([wide], NOW) is None
    assert await stores.mfa.tallies.take([wide], NOW) is None
    assert await stores.mfa.tallies.take([wide], NOW) is not None


async def test_counters_begin_anew_when_their_window_is_over(stores: Stores) -> None:
    quota = Quota("one", 1, HOUR)
    await stores.mfa.tallies.take([quota], NOW)

    assert await stores.mfa.tallies.take([quota], NOW + HOUR) is None
    await stores.mfa.tallies.clear("one")
    assert await stores.mfa.tallies.take([quota], NOW + HOUR) is None


async def test_a_device_has_one_token_at_a_time(stores: Stores, mfa: MfaMaker) -> None:
    device = mfa.device(b"1" * 32)
    await stores.mfa.devices.add(device)

    assert await stores.mfa.devices.rotate("somebody", b"1" * 32, b"2" * 32, NOW) is None
    rotated = await stores.mfa.devices.rotate(mfa.user.id, b"1" * 32, b"2" * 32, NOW)
    assert rotated is not None
    assert (rotated.id, rotated.digest) == (device.id, b"2" * 32)
    assert await stores.mfa.devices.rotate(mfa.user.id, b"1" * 32, b"3" * 32, NOW) is None
    late = device.expires_at
    assert await stores.mfa.devices.rotate(mfa.user.id, b"2" * 32, b"3" * 32, late) is None


async def test_devices_are_listed_and_forgotten(stores: Stores, mfa: MfaMaker) -> None:
    first, second = mfa.device(b"1" * 32), mfa.device(b"2" * 32)
    await stores.mfa.devices.add(first)
    await stores.mfa.devices.add(second)

    assert set(await stores.mfa.devices.list("default", mfa.user.id, NOW)) == {first, second}
    assert not await stores.mfa.devices.forget("other", mfa.user.id, first.id)
    assert await stores.mfa.devices.forget("default", mfa.user.id, first.id)
    await stores.mfa.devices.forget_all(mfa.user.id)
    assert await stores.mfa.devices.list("default", mfa.user.id, NOW) == ()


async def test_purging_drops_what_is_over(stores: Stores, mfa: MfaMaker) -> None:
    challenge, code, device = mfa.challenge(), mfa.sent(b"tag"), mfa.device(b"1" * 32)
    await stores.mfa.challenges.add(challenge)
    await stores.mfa.sent.put(code)
    await stores.mfa.devices.add(device)

    await stores.mfa.challenges.purge(NOW)
    await stores.mfa.devices.purge(NOW)
    assert await stores.mfa.challenges.find(challenge.id, NOW) is not None

    await stores.mfa.challenges.purge(device.expires_at)
    await stores.mfa.devices.purge(device.expires_at)
    assert await stores.mfa.challenges.find(challenge.id, NOW) is None
    assert await stores.mfa.sent.find(code.subject, Method.EMAIL, NOW) is None
    assert await stores.mfa.devices.list("default", mfa.user.id, NOW) == ()
