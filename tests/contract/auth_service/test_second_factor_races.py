"""What is single-use wins once, however many ask at once, and also after a restart."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from itertools import cycle
from pathlib import Path

import pytest

from auth_service.application.ports.mfa import Tried
from auth_service.bootstrap.stores import Stores
from auth_service.domain.mfa.challenges import MAX_TRIES, Quota
from auth_service.domain.mfa.factors import FactorKind
from auth_service.domain.user import User
from tests.contract.auth_service.adapters import STORES, in_processes
from tests.contract.auth_service.conftest import LIFE, NOW, Maker
from tests.contract.auth_service.mfa_maker import MfaMaker

ROUNDS = {"sqlite in a file": 10, "mongodb": 2}
"""Of every store that outlives its process."""
USES = 50
FEW = 3
"""Rounds of what is decided by which transactions meet."""

Use = Callable[[Stores], Awaitable[bool]]
Race = Callable[[Stores, MfaMaker, int], Awaitable[Use]]


async def totp_step(stores: Stores, mfa: MfaMaker, turn: int) -> Use:
    if turn == 0:
        await mfa.enrolled(stores)
    (factor,) = await stores.mfa.factors.confirmed(mfa.user.id)
    return lambda at: at.mfa.factors.spend_step(factor.id, turn, NOW)


async def recovery_code(stores: Stores, mfa: MfaMaker, turn: int) -> Use:
    digest = bytes([turn])
    if turn == 0:
        digests = [bytes([number]) for number in range(max(ROUNDS.values()))]
        await stores.mfa.recovery.replace(mfa.user.id, digests, NOW)
    return lambda at: at.mfa.recovery.spend(mfa.user.id, digest, NOW)


async def sent_code(stores: Stores, mfa: MfaMaker, turn: int) -> Use:
    code = mfa.sent(bytes([turn]))
    await stores.mfa.sent.put(code)
    return lambda at: at.mfa.sent.spend(code.subject, code.tag, NOW)


async def device_token(stores: Stores, mfa: MfaMaker, turn: int) -> Use:
    digest = bytes([turn]) * 32
    await stores.mfa.devices.add(mfa.device(digest))

    async def use(at: Stores) -> bool:
        successor = mfa.ids.new().encode().ljust(32, b".")
        return await at.mfa.devices.rotate(mfa.user.id, digest, successor, NOW) is not None

    return use


async def challenge(stores: Stores, mfa: MfaMaker, turn: int) -> Use:
    pending = mfa.challenge()
    await stores.mfa.challenges.add(pending)
    return lambda at: at.mfa.challenges.finish(pending.id, NOW)


RACES: dict[str, Race] = {
    "a TOTP step": totp_step,
    "a recovery code": recovery_code,
    "a sent code": sent_code,
    "a device's token": device_token,
    "a challenge": challenge,
}


@pytest.mark.parametrize("race", RACES)
@pytest.mark.parametrize("adapter", ROUNDS)
async def test_of_fifty_uses_one_wins_and_none_after_a_restart(
    adapter: str, race: str, tmp_path: Path, make: Maker
) -> None:
    ada = make.user()
    mfa = MfaMaker(make.ids, ada)
    for turn in range(ROUNDS[adapter]):
        async with in_processes(adapter, tmp_path) as opened:
            if turn == 0:
                await opened[0].users.add(make.registered(ada))
            use = await RACES[race](opened[0], mfa, turn)
            uses = (use(at) for _, at in zip(range(USES), cycle(opened)))
            assert sum(await asyncio.gather(*uses)) == 1
        async with STORES[adapter](tmp_path) as stores:
            assert not await use(stores)


async def test_of_very_many_tries_at_a_challenge_five_are_counted(
    stores: Stores, processes: Sequence[Stores], make: Maker
) -> None:
    ada = make.user()
    await stores.users.add(make.registered(ada))
    pending = MfaMaker(make.ids, ada).challenge()
    await stores.mfa.challenges.add(pending)
    tries = 1_000 if len(processes) == 1 else 100

    outcomes = await asyncio.gather(
        *(
            at.mfa.challenges.attempt(pending.id, NOW)
            for _, at in zip(range(tries), cycle(processes))
        )
    )

    assert sum(isinstance(outcome, Tried) for outcome in outcomes) == MAX_TRIES


@pytest.fixture
def mfa(make: Maker, ada: User) -> MfaMaker:
    return MfaMaker(make.ids, ada)


async def test_recovery_codes_go_with_the_last_factor_also_when_all_are_removed_at_once(
    stores: Stores, processes: Sequence[Stores], mfa: MfaMaker
) -> None:
    for _ in range(FEW):
        factors = [await mfa.enrolled(stores, kind) for kind in FactorKind]
        await stores.mfa.recovery.replace(mfa.user.id, [b"1"], NOW)

        removed = await asyncio.gather(
            *(
                at.mfa.factors.remove(factor.id, mfa.change())
                for factor, at in zip(factors, cycle(processes), strict=False)
            )
        )

        assert all(removed)
        assert await stores.mfa.recovery.left(mfa.user.id) == 0


async def test_of_sets_of_recovery_codes_that_come_at_once_one_counts(
    stores: Stores, processes: Sequence[Stores], mfa: MfaMaker
) -> None:
    for _ in range(FEW):
        # As many as processes: one more would sweep up what the first two left beside each other.
        sets = [[bytes([number, place]) for place in range(3)] for number in range(2)]

        await asyncio.gather(
            *(
                at.mfa.recovery.replace(mfa.user.id, each, NOW)
                for each, at in zip(sets, cycle(processes), strict=False)
            )
        )

        assert await stores.mfa.recovery.left(mfa.user.id) == 3
        await stores.mfa.recovery.replace(mfa.user.id, [], NOW)


async def test_of_enrolments_that_come_at_once_one_waits_for_its_code(
    stores: Stores, processes: Sequence[Stores], mfa: MfaMaker
) -> None:
    factors = [mfa.factor() for _ in range(8)]

    await asyncio.gather(
        *(at.mfa.factors.enrol(each) for each, at in zip(factors, cycle(processes), strict=False))
    )

    confirmed = [await stores.mfa.factors.confirm(each, mfa.change()) for each in factors]
    assert sum(confirmed) == 1


async def test_no_more_is_taken_than_a_quota_has(
    processes: Sequence[Stores], mfa: MfaMaker
) -> None:
    narrow, wide = Quota("narrow", 7, LIFE), Quota("wide", USES, LIFE)

    pauses = await asyncio.gather(
        *(
            at.mfa.tallies.take([wide, narrow], NOW)
            for _, at in zip(range(USES), cycle(processes), strict=False)
        )
    )

    assert pauses.count(None) == narrow.most
    left = [await processes[0].mfa.tallies.take([wide], NOW) for _ in range(USES)]
    assert left.count(None) == USES - narrow.most
