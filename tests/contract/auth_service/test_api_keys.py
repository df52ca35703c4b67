"""What every store of API keys must do, beyond what the use cases show."""

import asyncio
from datetime import timedelta

import pytest

from auth_service.application.ports import Change, RevocationKind
from auth_service.bootstrap.stores import Stores
from auth_service.domain.api_key import ApiKey, Environment, KeySecret, KeyTerms, KeyUsage
from auth_service.domain.events import AccountFact, FactKind
from auth_service.domain.user import User
from tests.contract.auth_service.conftest import LIFE, NOW, Maker

TERMS = KeyTerms("ci", ("a:x", "b:y"), 5, ("192.0.2.0/24", "2001:db8::/32"), NOW + LIFE)


def a_key(make: Maker, owner: User, terms: KeyTerms = TERMS) -> ApiKey:
    key_id = make.ids.new()
    return ApiKey(
        key_id, owner.tenant, owner.id, Environment.LIVE, terms, f"sk_live_{key_id}", NOW, NOW
    )


def a_secret(key: ApiKey, number: int = 1) -> KeySecret:
    prefix = key.prefix if number == 1 else f"{key.prefix}-{number}"
    return KeySecret(prefix, "p1", bytes([number]) * 32, NOW)


def a_fact(make: Maker, key: ApiKey) -> AccountFact:
    return AccountFact(make.ids.new(), FactKind.API_KEY_CREATED, key.tenant, key.owner, NOW)


def a_change(key: ApiKey) -> Change:
    return Change(RevocationKind.KEY, key.id, NOW + LIFE)


@pytest.fixture
async def key(stores: Stores, make: Maker, ada: User) -> ApiKey:
    """A key of Ada's that is in the store."""
    made = a_key(make, ada)
    assert await stores.api_keys.add(made, a_secret(made), most=10, event=a_fact(make, made))
    return made


async def test_a_key_comes_back_as_it_was(stores: Stores, ada: User, key: ApiKey) -> None:
    found = await stores.api_keys.find_by_prefix(key.prefix)

    assert await stores.api_keys.find(key.tenant, key.owner, key.id) == key
    assert found is not None
    assert (found.key, found.secret, found.owner) == (key, a_secret(key), ada)
    assert await stores.api_keys.find_by_prefix("sk_live_other") is None


async def test_of_simultaneous_new_keys_no_more_are_kept_than_allowed(
    stores: Stores, make: Maker, ada: User
) -> None:
    keys = [a_key(make, ada) for _ in range(20)]

    kept = await asyncio.gather(
        *(stores.api_keys.add(k, a_secret(k), most=3, event=a_fact(make, k)) for k in keys)
    )

    assert sum(kept) == 3
    assert len(await stores.log.read_log(0, 50)) == 1 + 3
    assert len((await stores.api_keys.list(ada.tenant, ada.id, limit=50, cursor=None)).items) == 3


async def test_keys_are_listed_newest_first_page_by_page(
    stores: Stores, make: Maker, ada: User
) -> None:
    bob = make.user("bob@example.com")
    await stores.users.add(make.registered(bob))
    keys = [a_key(make, ada) for _ in range(5)]
    for each in [*keys, a_key(make, bob)]:
        await stores.api_keys.add(each, a_secret(each), most=10, event=a_fact(make, each))

    first = await stores.api_keys.list(ada.tenant, ada.id, limit=3, cursor=None)
    second = await stores.api_keys.list(ada.tenant, ada.id, limit=3, cursor=first.next_cursor)

    assert [*first.items, *second.items] == list(reversed(keys))
    assert second.next_cursor is None
    everybody = await stores.api_keys.list(ada.tenant, None, limit=50, cursor=None)
    assert len(everybody.items) == 6
    assert not (await stores.api_keys.list("other", None, limit=50, cursor=None)).items


async def test_changes_to_what_is_not_there_are_not_told(
    stores: Stores, make: Maker, ada: User
) -> None:
    absent = a_key(make, ada)
    change = a_change(absent)

    assert not await stores.api_keys.change(absent.id, TERMS, NOW, change)
    assert not await stores.api_keys.rotate(
        absent.id, a_secret(absent), overlap_ends=NOW, change=change, event=a_fact(make, absent)
    )
    assert not await stores.api_keys.delete(ada.tenant, ada.id, absent.id, change)
    assert not await stores.revocations.after(0, now=NOW, limit=10)


async def test_an_overlap_never_makes_a_text_last_longer(
    stores: Stores, make: Maker, key: ApiKey
) -> None:
    soon, late = NOW + timedelta(hours=1), NOW + timedelta(hours=9)
    for number, ends in ((2, soon), (3, late)):
        secret = a_secret(key, number)
        assert await stores.api_keys.rotate(
            key.id, secret, overlap_ends=ends, change=a_change(key), event=a_fact(make, key)
        )

    second = await stores.api_keys.find_by_prefix(a_secret(key, 2).prefix)
    third = await stores.api_keys.find_by_prefix(a_secret(key, 3).prefix)

    assert await stores.api_keys.find_by_prefix(key.prefix) is None
    assert second is not None
    assert second.secret.ends_at == late
    assert third is not None
    assert third.secret.ends_at is None


async def test_the_text_of_a_deleted_key_is_gone_too(stores: Stores, key: ApiKey) -> None:
    await stores.api_keys.record("g1", 1, [KeyUsage(key.id, 3, NOW)])

    assert await stores.api_keys.delete(key.tenant, key.owner, key.id, a_change(key))

    assert await stores.api_keys.find_by_prefix(key.prefix) is None
    (told,) = await stores.revocations.after(0, now=NOW, limit=10)
    assert told.change == a_change(key)


async def test_uses_are_counted_once_for_each_report(stores: Stores, key: ApiKey) -> None:
    later = NOW + timedelta(minutes=1)
    for sequence, uses in (
        (1, [KeyUsage(key.id, 3, later)]),
        (1, [KeyUsage(key.id, 3, later)]),
        (2, [KeyUsage(key.id, 4, NOW), KeyUsage("gone", 1, NOW)]),
    ):
        await stores.api_keys.record("g1", sequence, uses)
    await stores.api_keys.record("g2", 1, [KeyUsage(key.id, 5, NOW)])

    found = await stores.api_keys.find(key.tenant, key.owner, key.id)

    assert found is not None
    assert (found.uses, found.last_used_at) == (12, later)
