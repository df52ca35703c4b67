"""Two processes on one audit trail: each chain stays one chain, and what is told goes with what was changed."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from auth_service.adapters.mongo.stores import MongoStores
from auth_service.application.ports import Change, RevocationKind
from auth_service.application.ports.accounts import Erasure
from auth_service.application.ports.audit import AuditFilter, KeptEntry
from auth_service.domain.errors import EmailTaken
from auth_service.domain.user import User
from chassis.audit.recorder import Recorder
from chassis.clock import SystemClock
from chassis.ids import RandomIds
from tests.contract.auth_service.account_maker import ending
from tests.contract.auth_service.adapters import process
from tests.contract.auth_service.audit_maker import entry
from tests.contract.auth_service.conftest import NOW, Maker

Pair = tuple[MongoStores, MongoStores]
EACH = 8
"""How often each of the two does it."""


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    """Two processes on one store."""
    async with process(tmp_path) as one, process(tmp_path) as other:
        yield one, other


def recorder(stores: MongoStores) -> Recorder:
    return Recorder("auth", stores.trail, clock=SystemClock(), ids=RandomIds())


async def register(stores: MongoStores, make: Maker, user: User) -> None:
    with recorder(stores).along("user_registered", tenant=user.tenant, actor=user.id):
        await stores.users.add(make.registered(user))


async def kept(stores: MongoStores, tenant: str = "default") -> list[KeptEntry]:
    """All entries, oldest first, of a chain that holds."""
    found = await stores.trail.find(AuditFilter(tenant), before=None, limit=100)
    checked = await stores.trail.verify(tenant, ())
    assert (checked.broken, checked.entries) == (None, len(found))
    return list(reversed(found))


async def test_two_who_write_one_chain_make_one_chain(pair: Pair) -> None:
    await asyncio.gather(*(stores.trail.keep([entry(at)]) for at, stores in enumerate(pair * EACH)))

    found = await kept(pair[0])
    assert [each.sequence for each in found] == list(range(1, 2 * EACH + 1))
    assert {each.entry.id for each in found} == {f"default-{at}" for at in range(2 * EACH)}


async def test_what_is_brought_to_both_is_kept_once(pair: Pair) -> None:
    batch = [entry(number, tenant=tenant) for number in range(EACH) for tenant in ("a", "b")]

    await asyncio.gather(*(stores.trail.keep(batch) for stores in pair * 2))

    for tenant in ("a", "b"):
        found = await kept(pair[1], tenant)
        assert [each.entry.id for each in found] == [f"{tenant}-{at}" for at in range(EACH)]


async def test_every_change_has_its_entry_and_every_entry_its_change(
    pair: Pair, make: Maker
) -> None:
    users = [make.user(f"ada{at // 2}@example.com") for at in range(2 * EACH)]

    outcomes = await asyncio.gather(
        *(register(pair[at % 2], make, user) for at, user in enumerate(users)),
        return_exceptions=True,
    )

    assert [type(each) for each in outcomes if each is not None] == [EmailTaken] * EACH
    made = {user.id for user, failed in zip(users, outcomes, strict=True) if failed is None}
    assert {each.entry.actor for each in await kept(pair[1])} == made


async def test_a_write_that_changed_nothing_is_not_told(pair: Pair) -> None:
    absent = Change(RevocationKind.KEY, "k1", NOW + timedelta(minutes=2))

    with recorder(pair[0]).along("api_key_deleted", tenant="default", actor="ada"):
        assert not await pair[0].api_keys.delete("default", None, "k1", absent)

    assert await kept(pair[0]) == []


async def test_only_the_first_write_inside_has_the_entry_along(pair: Pair, make: Maker) -> None:
    one, _ = pair
    ada, bob = make.user(), make.user("bob@example.com")

    with recorder(one).along("user_registered", tenant="default", actor=ada.id):
        await one.users.add(make.registered(ada))
        await one.users.add(make.registered(bob))

    assert [each.entry.actor for each in await kept(one)] == [ada.id]


async def test_both_purge_while_both_write(pair: Pair) -> None:
    await pair[0].trail.keep([entry(number) for number in range(EACH)])
    between = NOW + timedelta(seconds=EACH - 0.5)

    one, other, *_ = await asyncio.gather(
        *(stores.trail.purge(between) for stores in pair),
        *(stores.trail.keep([entry(EACH + at)]) for at, stores in enumerate(pair * EACH)),
    )

    assert (one or 0) + (other or 0) == EACH
    assert [each.sequence for each in await kept(pair[0])] == list(range(EACH + 1, 3 * EACH + 1))


async def test_who_is_erased_while_entries_come_breaks_no_chain(pair: Pair, make: Maker) -> None:
    one, other = pair
    ada = make.user()
    await one.users.add(make.registered(ada))
    await one.trail.keep([entry(number, actor=ada.id) for number in range(EACH)])

    await asyncio.gather(
        other.accounts.erase(Erasure(ada, ending(), (), ())),
        *(one.trail.keep([entry(number, actor="bob")]) for number in range(EACH, 2 * EACH)),
    )

    found = await kept(other)
    assert [each.erased for each in found] == [each.entry.actor == ada.id for each in found]
