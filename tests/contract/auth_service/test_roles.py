"""What every store of roles must do."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from auth_service.application.ports import Assignment, Change, RevocationKind
from auth_service.application.ports.oauth import ServiceAccount
from auth_service.bootstrap.stores import Stores
from auth_service.domain.access_errors import RoleInUse, RolesChanged
from auth_service.domain.errors import LastAdministrator, UserNotFound
from auth_service.domain.permissions import Role
from auth_service.domain.roles import RoleDefinition
from auth_service.domain.user import User
from tests.contract.auth_service.conftest import NOW, Maker
from tests.contract.auth_service.oauth_maker import OAuthMaker

ROLE = RoleDefinition("operator", "Stops things", ("executions:write-all",), ("user",), NOW, "u1")
CHANGED = Change(RevocationKind.POLICY, "default", NOW + timedelta(minutes=2))


async def give(
    stores: Stores,
    user: User,
    *after: str,
    before: tuple[str, ...] | None = None,
    read: int = 0,
) -> None:
    assignment = Assignment(
        user.tenant, user.id, user.roles if before is None else before, after, NOW
    )
    change = Change(RevocationKind.PRINCIPAL, user.id, NOW + timedelta(minutes=2))
    await stores.roles.assign(assignment, read=read, change=change)


async def test_a_tenant_begins_with_an_empty_book(stores: Stores) -> None:
    book = await stores.roles.book("default")

    assert (book.version, dict(book.own)) == (0, {})


async def test_a_role_comes_back_as_it_was_and_the_book_is_a_version_further(
    stores: Stores,
) -> None:
    await stores.roles.put("default", ROLE, read=0, change=CHANGED)

    book = await stores.roles.book("default")
    assert (book.version, dict(book.own)) == (1, {"operator": ROLE})
    assert (await stores.roles.book("other")).version == 0


async def test_who_read_an_older_book_changes_nothing(stores: Stores) -> None:
    await stores.roles.put("default", ROLE, read=0, change=CHANGED)

    with pytest.raises(RolesChanged):
        await stores.roles.put("default", replace(ROLE, name="late"), read=0, change=CHANGED)
    with pytest.raises(RolesChanged):
        await stores.roles.remove("default", "operator", read=0, change=CHANGED)

    assert list((await stores.roles.book("default")).own) == ["operator"]


async def test_of_simultaneous_changes_one_wins(stores: Stores) -> None:
    outcomes = await asyncio.gather(
        *(
            stores.roles.put("default", replace(ROLE, name=f"r{at}"), read=0, change=CHANGED)
            for at in range(20)
        ),
        return_exceptions=True,
    )

    assert sum(outcome is None for outcome in outcomes) == 1
    assert len((await stores.roles.book("default")).own) == 1


async def test_a_change_is_on_the_feed_with_the_role(stores: Stores) -> None:
    await stores.roles.put("default", ROLE, read=0, change=CHANGED)

    entries = await stores.revocations.after(0, now=NOW, limit=10)
    assert [each.change for each in entries] == [CHANGED]


async def test_a_role_that_somebody_has_stays(stores: Stores, ada: User) -> None:
    await stores.roles.put("default", ROLE, read=0, change=CHANGED)
    await give(stores, ada, "operator", read=1)

    with pytest.raises(RoleInUse):
        await stores.roles.remove("default", "operator", read=1, change=CHANGED)

    await give(stores, ada, before=("operator",), read=1)
    await stores.roles.remove("default", "operator", read=1, change=CHANGED)
    book = await stores.roles.book("default")
    assert (book.version, dict(book.own)) == (2, {})


async def test_a_role_whose_name_is_part_of_anothers_is_not_taken_for_it(
    stores: Stores, ada: User
) -> None:
    await stores.roles.put("default", replace(ROLE, name="use"), read=0, change=CHANGED)

    await stores.roles.remove("default", "use", read=1, change=CHANGED)


async def test_a_user_has_the_roles_that_were_given_and_the_feed_says_so(
    stores: Stores, ada: User
) -> None:
    await give(stores, ada, "admin", "user")

    found = await stores.users.find(ada.tenant, ada.id)
    assert found is not None
    assert found.roles == ("admin", "user")
    entries = await stores.revocations.after(0, now=NOW, limit=10)
    assert [(each.change.kind, each.change.subject) for each in entries] == [
        (RevocationKind.PRINCIPAL, ada.id)
    ]


async def test_nothing_is_given_upon_an_outdated_view(stores: Stores, ada: User) -> None:
    with pytest.raises(RolesChanged):
        await give(stores, ada, "admin", before=("operator",))
    with pytest.raises(RolesChanged):
        await give(stores, ada, "admin", read=7)
    with pytest.raises(UserNotFound):
        await give(stores, replace(ada, tenant="other"), "admin")


async def test_the_last_administrator_stays_one(stores: Stores, make: Maker) -> None:
    root = make.user("root@example.com", role=Role.ADMIN)
    await stores.users.add(make.registered(root))
    elsewhere = make.user("root@example.org", tenant="other", role=Role.ADMIN)
    await stores.users.add(make.registered(elsewhere))

    with pytest.raises(LastAdministrator):
        await give(stores, root, "user")
    await give(stores, root, "admin", "user")


async def test_a_program_that_administers_is_no_administrator_to_be_left_with(
    stores: Stores, make: Maker
) -> None:
    root = make.user("root@example.com", role=Role.ADMIN)
    await stores.users.add(make.registered(root))
    oauth = OAuthMaker(root, make.ids)
    account = ServiceAccount(make.ids.new(), (Role.ADMIN,), make.ids.new())
    await stores.oauth.clients.add(oauth.client(account.user_id), oauth.secret(), account)

    with pytest.raises(LastAdministrator):
        await give(stores, root, "user")


async def test_of_the_last_two_administrators_one_stays_however_fast_they_are(
    stores: Stores, make: Maker
) -> None:
    roots = [make.user(f"root{at}@example.com", role=Role.ADMIN) for at in range(5)]
    for root in roots:
        await stores.users.add(make.registered(root))

    outcomes = await asyncio.gather(
        *(give(stores, root, "user") for root in roots), return_exceptions=True
    )

    assert sum(isinstance(outcome, LastAdministrator) for outcome in outcomes) == 1
    assert sum(outcome is None for outcome in outcomes) == 4
    assert await stores.users.first_administrator("default") is not None
