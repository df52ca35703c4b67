"""Two processes that change roles, policies and keys of one tenant at the same moment: what is decided stays true."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from auth_service.adapters.mongo.stores import MongoStores
from auth_service.application.ports import Assignment, Change, RevocationKind
from auth_service.application.ports.accounts import AccountChange, Erasure
from auth_service.application.ports.policies import Edit
from auth_service.domain.access_errors import RoleInUse, RolesChanged, TooManyPolicies
from auth_service.domain.api_key import ApiKey, Environment, KeySecret, KeyTerms, KeyUsage
from auth_service.domain.errors import LastAdministrator, UserNotFound
from auth_service.domain.events import AccountFact, FactKind
from auth_service.domain.permissions import Role
from auth_service.domain.policies import PolicyDraft
from auth_service.domain.roles import RoleDefinition
from auth_service.domain.user import User
from chassis.policies.model import Effect, Mode
from tests.contract.auth_service.account_maker import ending
from tests.contract.auth_service.adapters import process
from tests.contract.auth_service.conftest import LIFE, NOW, Maker

Pair = tuple[MongoStores, MongoStores]
EACH = 8
"""How often each of the two does it."""
ROLE = RoleDefinition("operator", "", (), ("user",), NOW, "u1")
CHANGED = Change(RevocationKind.POLICY, "default", NOW + timedelta(minutes=2))


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    """Two processes on one store."""
    async with process(tmp_path) as one, process(tmp_path) as other:
        yield one, other


@pytest.fixture
async def ada(pair: Pair, make: Maker) -> User:
    """A user who is in the store."""
    return await added(pair, make, make.user())


async def added(pair: Pair, make: Maker, user: User) -> User:
    await pair[0].users.add(make.registered(user))
    return user


def failures(outcomes: Sequence[object]) -> list[type[BaseException]]:
    return [type(each) for each in outcomes if isinstance(each, BaseException)]


async def administrators(pair: Pair, make: Maker, count: int) -> list[User]:
    users = [make.user(f"root{at}@example.com", role=Role.ADMIN) for at in range(count)]
    return [await added(pair, make, user) for user in users]


async def demote(stores: MongoStores, user: User) -> None:
    assignment = Assignment(user.tenant, user.id, user.roles, ("user",), NOW)
    change = Change(RevocationKind.PRINCIPAL, user.id, NOW + timedelta(minutes=2))
    await stores.roles.assign(assignment, read=0, change=change)


async def disable(stores: MongoStores, user: User) -> None:
    disabled = replace(user, disabled_at=NOW)
    change = AccountChange(
        before=user, after=disabled, ending=ending(f"e{user.id}"), events=(), mails=()
    )
    await stores.accounts.apply(change)


async def erase(stores: MongoStores, user: User) -> None:
    await stores.accounts.erase(Erasure(user, ending(f"e{user.id}"), (), ()))


async def test_of_administrators_who_leave_in_every_way_at_once_one_stays(
    pair: Pair, make: Maker
) -> None:
    one, other = pair
    roots = await administrators(pair, make, 6)
    ways = (demote, disable, erase)

    outcomes = await asyncio.gather(
        *(ways[at % 3]((one, other)[at % 2], root) for at, root in enumerate(roots)),
        return_exceptions=True,
    )

    assert failures(outcomes) == [LastAdministrator]
    stay = one.database.collection("users").find({"roles": "admin", "disabled_at": None})
    assert len(await stay.to_list()) == 1


async def test_of_changes_to_one_book_one_wins(pair: Pair) -> None:
    outcomes = await asyncio.gather(
        *(
            stores.roles.put("default", replace(ROLE, name=f"r{at}"), read=0, change=CHANGED)
            for at, stores in enumerate(pair * EACH)
        ),
        return_exceptions=True,
    )

    assert failures(outcomes) == [RolesChanged] * (2 * EACH - 1)
    assert len((await pair[1].roles.book("default")).own) == 1


async def test_a_role_is_not_given_while_it_is_removed(pair: Pair, ada: User) -> None:
    one, other = pair
    await one.roles.put("default", ROLE, read=0, change=CHANGED)
    given = Assignment(ada.tenant, ada.id, ada.roles, ("operator",), NOW)

    outcomes = await asyncio.gather(
        one.roles.remove("default", "operator", read=1, change=CHANGED),
        other.roles.assign(given, read=1, change=CHANGED),
        return_exceptions=True,
    )

    assert failures(outcomes) in ([RoleInUse], [RolesChanged])
    user = await one.users.find(ada.tenant, ada.id)
    there = "operator" in (await other.roles.book("default")).own
    assert user is not None
    assert there == ("operator" in user.roles)


async def put(stores: MongoStores, name: str, condition: str = "true") -> None:
    draft = PolicyDraft(name, "", Effect.DENY, Mode.ENFORCE, ("a:b",), condition)
    edit = Edit("default", "root", NOW, CHANGED)
    await stores.policies.put(draft, edit, create=False, most=3)


async def test_a_tenant_has_not_too_many_policies(pair: Pair) -> None:
    outcomes = await asyncio.gather(
        *(put(stores, f"p{at}") for at, stores in enumerate(pair * EACH)), return_exceptions=True
    )

    assert failures(outcomes) == [TooManyPolicies] * (2 * EACH - 3)
    assert len(await pair[0].policies.current("default")) == 3


async def test_of_changes_to_one_policy_each_is_a_version(pair: Pair) -> None:
    await asyncio.gather(
        *(put(stores, "office", f"1 == {at}") for at, stores in enumerate(pair * EACH))
    )

    versions = await pair[0].policies.versions("default", "office")
    assert [each.version for each in versions] == list(range(2 * EACH, 0, -1))


def a_key(make: Maker, owner: User) -> ApiKey:
    key_id = make.ids.new()
    terms = KeyTerms("ci", ("a:x",))
    return ApiKey(
        key_id, owner.tenant, owner.id, Environment.LIVE, terms, f"sk_live_{key_id}", NOW, NOW
    )


def a_fact(make: Maker, key: ApiKey) -> AccountFact:
    return AccountFact(make.ids.new(), FactKind.API_KEY_CREATED, key.tenant, key.owner, NOW)


async def add(stores: MongoStores, make: Maker, key: ApiKey, *, most: int = 10) -> bool:
    secret = KeySecret(key.prefix, "p1", bytes(32), NOW)
    return await stores.api_keys.add(key, secret, most=most, event=a_fact(make, key))


async def test_nobody_has_too_many_keys(pair: Pair, make: Maker, ada: User) -> None:
    kept = await asyncio.gather(
        *(add(stores, make, a_key(make, ada), most=3) for stores in pair * EACH)
    )

    assert sum(kept) == 3
    page = await pair[0].api_keys.list(ada.tenant, ada.id, limit=50, cursor=None)
    assert len(page.items) == 3


async def test_no_key_outlives_its_owner(pair: Pair, make: Maker, ada: User) -> None:
    one, other = pair
    keys = [a_key(make, ada) for _ in range(EACH)]

    outcomes = await asyncio.gather(
        *(add(one, make, key) for key in keys), erase(other, ada), return_exceptions=True
    )

    assert set(failures(outcomes)) <= {UserNotFound}
    with pytest.raises(UserNotFound):
        await add(other, make, a_key(make, ada))
    for name in ("api_keys", "api_key_secrets"):
        assert await one.database.collection(name).count_documents({}) == 0


async def test_a_report_that_reaches_two_processes_counts_once(
    pair: Pair, make: Maker, ada: User
) -> None:
    key = a_key(make, ada)
    assert await add(pair[0], make, key)
    uses = [KeyUsage(key.id, 3, NOW)]

    await asyncio.gather(
        *(stores.api_keys.record(f"g{at // 2}", 1, uses) for at, stores in enumerate(pair * EACH))
    )

    found = await pair[1].api_keys.find(ada.tenant, ada.id, key.id)
    assert found is not None
    assert found.uses == 3 * EACH


async def test_nothing_is_left_of_a_key_that_is_used_and_renewed_while_it_is_deleted(
    pair: Pair, make: Maker, ada: User
) -> None:
    one, other = pair
    key = a_key(make, ada)
    assert await add(one, make, key)
    change = Change(RevocationKind.KEY, key.id, NOW + LIFE)
    new = KeySecret(f"{key.prefix}-2", "p1", bytes(32), NOW)

    await asyncio.gather(
        one.api_keys.rotate(
            key.id, new, overlap_ends=NOW + LIFE, change=change, event=a_fact(make, key)
        ),
        other.api_keys.delete(key.tenant, key.owner, key.id, change),
        one.api_keys.record("g1", 1, [KeyUsage(key.id, 3, NOW)]),
    )

    for name in ("api_keys", "api_key_secrets", "api_key_usage"):
        assert await one.database.collection(name).count_documents({}) == 0
