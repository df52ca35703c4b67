"""What the audit trail must do: keep, find, purge and erase."""

import asyncio
from datetime import timedelta

from auth_service.application.ports.accounts import Erasure
from auth_service.application.ports.audit import AuditFilter
from auth_service.bootstrap.stores import Stores
from auth_service.domain.user import User
from tests.contract.auth_service.account_maker import ending
from tests.contract.auth_service.audit_maker import entry, fill, verdict
from tests.contract.auth_service.conftest import NOW, Maker


async def test_entries_get_their_places_one_after_the_other_per_tenant(
    stores: Stores,
) -> None:
    await stores.trail.keep([entry(1), entry(1, tenant="acme"), entry(2)])
    await stores.trail.keep([entry(2, tenant="acme")])

    for tenant in ("default", "acme"):
        found = await stores.trail.find(AuditFilter(tenant), before=None, limit=10)
        assert [(each.sequence, each.entry) for each in found] == [
            (2, entry(2, tenant=tenant)),
            (1, entry(1, tenant=tenant)),
        ]
        assert found[0].previous == found[1].link
        checked = await verdict(stores, tenant)
        assert (checked.broken, checked.entries, checked.first, checked.last) == (None, 2, 1, 2)


async def test_an_entry_that_is_brought_twice_is_kept_once(stores: Stores) -> None:
    await fill(stores, 3)
    await stores.trail.keep([entry(2), entry(4), entry(4)])

    found = await stores.trail.find(AuditFilter("default"), before=None, limit=10)
    assert [each.entry.id for each in found] == [f"default-{n}" for n in (4, 3, 2, 1)]


async def test_many_that_are_brought_together_stay_in_their_order(stores: Stores) -> None:
    await fill(stores, 250)

    found = await stores.trail.find(AuditFilter("default"), before=None, limit=500)
    assert [each.entry.id for each in reversed(found)] == [f"default-{n}" for n in range(1, 251)]
    assert (await verdict(stores)).broken is None


async def test_of_simultaneous_entries_each_has_its_place(stores: Stores) -> None:
    await asyncio.gather(*(stores.trail.keep([entry(number)]) for number in range(20)))

    checked = await verdict(stores)
    assert (checked.broken, checked.entries, checked.last) == (None, 20, 20)


async def test_filters_narrow_and_pages_go_on(stores: Stores) -> None:
    await fill(stores)
    await stores.trail.keep([entry(11, actor="bob", action="logged_out", address="192.0.2.9")])
    find = stores.trail.find

    async def sequences(**wanted: object) -> list[int]:
        filter = AuditFilter("default", **wanted)  # type: ignore[arg-type]
        return [each.sequence for each in await find(filter, before=None, limit=100)]

    assert await sequences(actor="bob") == [11]
    assert await sequences(action="logged_out") == [11]
    assert await sequences(address="192.0.2.9") == [11]
    assert await sequences(outcome="refused") == []
    since, until = NOW + timedelta(seconds=2), NOW + timedelta(seconds=5)
    assert await sequences(since=since, until=until) == [4, 3, 2]
    page = await find(AuditFilter("default"), before=9, limit=3)
    assert [each.sequence for each in page] == [8, 7, 6]
    assert await find(AuditFilter("acme"), before=None, limit=3) == []


async def test_a_purge_leaves_a_chain_that_holds_from_its_anchor_on(stores: Stores) -> None:
    await fill(stores)

    assert await stores.trail.purge(NOW + timedelta(seconds=4.5)) == 4
    assert await stores.trail.purge(NOW + timedelta(seconds=4.5)) == 0

    await stores.trail.keep([entry(11)])
    checked = await verdict(stores)
    assert (checked.broken, checked.entries, checked.first, checked.last) == (None, 7, 5, 11)
    assert await stores.trail.purge(NOW + timedelta(days=1)) == 7
    await stores.trail.keep([entry(12)])
    checked = await verdict(stores)
    assert (checked.broken, checked.entries, checked.first) == (None, 1, 12)


async def test_a_purge_does_not_skip_over_what_came_late(stores: Stores) -> None:
    await stores.trail.keep([entry(9), entry(1), entry(2)])

    assert await stores.trail.purge(NOW + timedelta(seconds=5)) == 0


async def test_who_is_erased_takes_along_what_the_trail_says_and_the_chain_still_holds(
    stores: Stores, make: Maker, ada: User
) -> None:
    bob = make.user("bob@example.com")
    await stores.users.add(make.registered(bob))
    await stores.trail.keep([entry(number, actor=ada.id) for number in (1, 2, 3)])
    await stores.trail.keep([entry(4, actor=bob.id)])

    await stores.accounts.erase(Erasure(ada, ending(), (), ()))

    found = await stores.trail.find(AuditFilter("default"), before=None, limit=10)
    assert [(each.erased, each.entry.address) for each in found] == [
        (False, "192.0.2.1"), (True, ""), (True, ""), (True, ""),
    ]  # fmt: skip
    assert found[1].entry.personal == {}
    assert found[1].entry.actor == ada.id
    checked = await verdict(stores)
    assert (checked.broken, checked.erased) == (None, 3)
