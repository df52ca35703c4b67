"""What every store of users must do."""

import asyncio
from dataclasses import replace

import pytest

from auth_service.bootstrap.stores import Stores
from auth_service.domain.errors import EmailTaken, UserNotFound
from auth_service.domain.events import UserUpdated
from auth_service.domain.permissions import Role
from auth_service.domain.user import User
from tests.contract.auth_service.conftest import NOW, Maker


async def test_a_user_comes_back_as_it_was(stores: Stores, ada: User) -> None:
    assert await stores.users.find(ada.tenant, ada.id) == ada
    assert await stores.users.find_by_email(ada.tenant, ada.email.key) == ada


async def test_an_address_is_taken_once_per_tenant(stores: Stores, ada: User, make: Maker) -> None:
    with pytest.raises(EmailTaken):
        await stores.users.add(make.registered(make.user()))

    await stores.users.add(make.registered(make.user(tenant="other")))


async def test_who_was_refused_is_not_announced(stores: Stores, ada: User, make: Maker) -> None:
    with pytest.raises(EmailTaken):
        await stores.users.add(make.registered(make.user()))

    assert len(await stores.log.read_log(0, 10)) == 1


async def test_of_simultaneous_registrations_one_wins(stores: Stores, make: Maker) -> None:
    outcomes = await asyncio.gather(
        *(stores.users.add(make.registered(make.user())) for _ in range(20)),
        return_exceptions=True,
    )

    assert outcomes.count(None) == 1
    assert sum(isinstance(outcome, EmailTaken) for outcome in outcomes) == 19


async def test_another_tenant_does_not_see_the_user(stores: Stores, ada: User) -> None:
    assert await stores.users.find("other", ada.id) is None
    assert await stores.users.find_by_email("other", ada.email.key) is None


async def test_a_new_name_is_kept_and_announced(stores: Stores, ada: User, make: Maker) -> None:
    renamed = replace(ada, name="Countess")

    await stores.users.rename(UserUpdated(make.ids.new(), renamed, NOW))

    assert await stores.users.find(ada.tenant, ada.id) == renamed
    assert [event.type for _, event in await stores.log.read_log(1, 10)] == [
        "io.autoworker.auth.user-updated.v1"
    ]


async def test_nobody_unknown_is_renamed(stores: Stores, make: Maker) -> None:
    with pytest.raises(UserNotFound):
        await stores.users.rename(UserUpdated(make.ids.new(), make.user(), NOW))

    assert await stores.log.read_log(0, 10) == []


async def test_a_hash_is_replaced_only_if_it_is_still_the_old_one(
    stores: Stores, ada: User
) -> None:
    await stores.users.replace_hash(ada.id, "hash", "newer")
    await stores.users.replace_hash(ada.id, "hash", "stale")

    found = await stores.users.find(ada.tenant, ada.id)
    assert found is not None
    assert found.password_hash == "newer"


async def test_the_first_administrator_is_found(stores: Stores, ada: User, make: Maker) -> None:
    assert await stores.users.first_administrator("default") is None
    root = make.user("root@example.com", role=Role.ADMIN)
    await stores.users.add(make.registered(root))

    assert await stores.users.first_administrator("default") == root
    assert await stores.users.first_administrator("other") is None
