"""What every store of accounts must do."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from auth_service.application.ports import Assignment, Change, RevocationKind
from auth_service.application.ports.accounts import (
    AccountChange,
    Erasure,
    PageKey,
    UserFilter,
)
from auth_service.bootstrap.stores import Stores
from auth_service.domain.account import Purpose
from auth_service.domain.errors import (
    AccountChanged,
    AccountTokenRefused,
    EmailTaken,
    LastAdministrator,
    UserNotFound,
)
from auth_service.domain.permissions import Role
from auth_service.domain.user import EmailAddress, User
from tests.contract.auth_service.account_maker import (
    SECOND,
    ending,
    fact,
    mail,
    new_hash,
    reset,
    token,
)
from tests.contract.auth_service.adapters import STORES
from tests.contract.auth_service.conftest import NOW, Maker

RACERS, ROUNDS = 50, 3


async def opened(stores: Stores, make: Maker, user: User) -> str:
    session = make.session(user)
    await stores.sessions.open(session, make.grant())
    return session.id


async def told(stores: Stores) -> Sequence[str]:
    return [event.type.split(".")[3] for _, event in await stores.log.read_log(0, 100)]


async def test_a_change_is_whole(stores: Stores, make: Maker, ada: User) -> None:
    session = await opened(stores, make, ada)
    await stores.accounts.keep_token(token(ada), ())

    ended = await stores.accounts.apply(reset(ada))

    assert ended == [session]
    changed = await stores.users.find(ada.tenant, ada.id)
    assert changed is not None
    assert changed.password_hash == "new-1"
    assert await stores.sessions.find_live(session, NOW) is None
    assert await told(stores) == ["user-registered", "session-revoked", "password-changed"]
    assert await stores.mails.due(NOW, 10) == [mail()]
    feed = await stores.revocations.after(0, now=NOW, limit=10)
    assert [(each.change.kind, each.change.subject) for each in feed] == [
        (RevocationKind.SESSION, session),
        (RevocationKind.PRINCIPAL, ada.id),
    ]


async def test_a_change_that_is_refused_leaves_no_trace(
    stores: Stores, make: Maker, ada: User
) -> None:
    session = await opened(stores, make, ada)

    with pytest.raises(AccountTokenRefused):
        await stores.accounts.apply(reset(ada))

    assert await stores.users.find(ada.tenant, ada.id) == ada
    assert await stores.sessions.find_live(session, NOW) is not None
    assert await told(stores) == ["user-registered"]
    assert await stores.mails.due(NOW, 10) == []


@pytest.mark.parametrize("name", [name for name in STORES if "file" in name])
async def test_of_many_who_use_a_link_at_once_one_wins(name: str, tmp_path: Path) -> None:
    make = Maker()
    user = make.user()
    for number in range(ROUNDS):
        # A new process each time.
        async with STORES[name](tmp_path) as stores:
            if number == 0:
                await stores.users.add(make.registered(user))
            now = await stores.users.find(user.tenant, user.id)
            assert now is not None
            digest = f"d{number}".encode()
            await stores.accounts.keep_token(token(now, digest), ())
            outcomes = await asyncio.gather(
                *(
                    stores.accounts.apply(reset(now, number=number * RACERS + racer, digest=digest))
                    for racer in range(RACERS)
                ),
                return_exceptions=True,
            )
        assert len([each for each in outcomes if not isinstance(each, BaseException)]) == 1
        losers = [each for each in outcomes if isinstance(each, BaseException)]
        assert {type(each) for each in losers} == {AccountTokenRefused}


async def test_a_link_is_good_for_one_purpose_one_time_and_one_life(
    stores: Stores, ada: User
) -> None:
    find, reset_only = stores.accounts.find_token, (Purpose.RESET_PASSWORD,)
    await stores.accounts.keep_token(token(ada), (mail(),))
    assert await stores.mails.due(NOW, 10) == [mail()]

    assert await find(b"d1", reset_only, NOW) == token(ada)
    assert await find(b"d1", (Purpose.VERIFY_EMAIL,), NOW) is None
    assert await find(b"d2", reset_only, NOW) is None
    assert await find(b"d1", reset_only, NOW + timedelta(minutes=30)) is None

    await stores.accounts.keep_token(token(ada, b"d2"), ())
    assert await find(b"d1", reset_only, NOW) is None
    await stores.accounts.apply(reset(ada, number=2, digest=b"d2"))
    assert await find(b"d2", reset_only, NOW) is None


async def test_what_is_obsolete_is_good_no_more(stores: Stores, ada: User) -> None:
    await stores.accounts.keep_token(token(ada), ())
    await stores.accounts.keep_token(token(ada, b"d2", purpose=Purpose.VERIFY_EMAIL), ())

    change = AccountChange(ada, new_hash(ada), obsolete=(Purpose.RESET_PASSWORD,))
    await stores.accounts.apply(change)

    assert await stores.accounts.find_token(b"d1", tuple(Purpose), NOW) is None
    assert await stores.accounts.find_token(b"d2", tuple(Purpose), NOW) is not None


async def test_a_user_who_has_changed_meanwhile_is_not_changed(stores: Stores, ada: User) -> None:
    await stores.accounts.apply(AccountChange(ada, new_hash(ada)))

    with pytest.raises(AccountChanged):
        await stores.accounts.apply(AccountChange(ada, new_hash(ada, "other")))


async def test_an_address_is_taken_once(stores: Stores, make: Maker, ada: User) -> None:
    bob = make.user("bob@example.com")
    await stores.users.add(make.registered(bob))

    with pytest.raises(EmailTaken):
        await stores.accounts.apply(AccountChange(bob, replace(bob, email=ada.email)))
    moved = replace(bob, email=EmailAddress.of("bobby@example.com"))
    await stores.accounts.apply(AccountChange(bob, moved))

    assert await stores.users.find_by_email(bob.tenant, "bobby@example.com") == moved


async def test_one_session_may_be_spared(stores: Stores, make: Maker, ada: User) -> None:
    kept, other = await opened(stores, make, ada), await opened(stores, make, ada)

    ended = await stores.session_list.end(ada.tenant, ada.id, ending(spare=kept))

    assert ended == [other]
    assert await stores.session_list.end(ada.tenant, ada.id, ending("e2", spare=kept)) == []
    assert await stores.session_list.end("elsewhere", ada.id, ending("e3")) == []
    assert await stores.sessions.find_live(kept, NOW) is not None


async def test_the_last_active_administrator_stays(stores: Stores, make: Maker) -> None:
    one, two = make.user("one@example.com", role=Role.ADMIN), make.user("two@example.com")
    three = make.user("three@example.com", role=Role.ADMIN)
    for user in (one, two, three):
        await stores.users.add(make.registered(user))
    await stores.accounts.apply(AccountChange(three, replace(three, disabled_at=NOW)))

    with pytest.raises(LastAdministrator):
        await stores.accounts.apply(AccountChange(one, replace(one, disabled_at=NOW)))
    with pytest.raises(LastAdministrator):
        await stores.accounts.erase(Erasure(one, ending(), (), ()))
    # The control: somebody else may go.
    await stores.accounts.erase(Erasure(two, ending(), (), ()))


async def test_who_has_become_the_last_administrator_since_they_were_read_stays(
    stores: Stores, make: Maker, ada: User
) -> None:
    root = make.user("root@example.com", role=Role.ADMIN)
    await stores.users.add(make.registered(root))
    for user, roles in ((ada, ("admin",)), (root, ("user",))):
        assignment = Assignment(user.tenant, user.id, user.roles, roles, NOW)
        change = Change(RevocationKind.PRINCIPAL, user.id, NOW + SECOND)
        await stores.roles.assign(assignment, read=0, change=change)

    with pytest.raises(LastAdministrator):
        await stores.accounts.apply(AccountChange(ada, replace(ada, disabled_at=NOW)))
    with pytest.raises(LastAdministrator):
        await stores.accounts.erase(Erasure(ada, ending(), (), ()))


async def test_of_two_administrators_who_leave_at_once_one_stays(
    stores: Stores, make: Maker
) -> None:
    both = [make.user(f"{n}@example.com", role=Role.ADMIN) for n in range(2)]
    for user in both:
        await stores.users.add(make.registered(user))

    outcomes = await asyncio.gather(
        *(stores.accounts.erase(Erasure(user, ending(user.id), (), ())) for user in both),
        return_exceptions=True,
    )

    assert sorted(type(each).__name__ for each in outcomes) == ["LastAdministrator", "list"]


async def test_a_link_for_nobody_is_kept_like_any_other(stores: Stores, ada: User) -> None:
    nobody = replace(token(ada), user_id="", email=EmailAddress("", ""))

    await stores.accounts.keep_token(nobody, (mail(),))

    assert await stores.accounts.find_token(nobody.digest, tuple(Purpose), NOW) == nobody
    assert await stores.mails.due(NOW, 10) == [mail()]


async def test_an_erased_user_is_gone_and_told_of(stores: Stores, make: Maker, ada: User) -> None:
    session = await opened(stores, make, ada)
    await stores.accounts.keep_token(token(ada), ())

    ended = await stores.accounts.erase(Erasure(ada, ending(), (fact(ada),), (mail(),)))

    assert ended == [session]
    assert await stores.users.find(ada.tenant, ada.id) is None
    assert await stores.users.find_by_email(ada.tenant, ada.email.key) is None
    assert await stores.accounts.find_token(b"d1", tuple(Purpose), NOW) is None
    assert await stores.session_list.page(ada.tenant, ada.id, NOW, None, 10) == []
    assert (await told(stores))[1:] == ["session-revoked", "password-changed"]
    assert await stores.mails.due(NOW, 10) == [mail()]
    with pytest.raises(UserNotFound):
        await stores.accounts.erase(Erasure(ada, ending(), (), ()))


async def test_users_are_listed_by_what_is_wanted(stores: Stores, make: Maker) -> None:
    made = [
        replace(make.user(f"{name}@example.com"), created_at=NOW + number * SECOND)
        for number, name in enumerate(["ada", "adam", "bob"])
    ]
    for user in made:
        await stores.users.add(make.registered(user))
    await stores.users.add(make.registered(make.user("ada@example.com", tenant="other")))
    ada, adam, bob = made
    off = replace(bob, disabled_at=NOW, updated_at=NOW)
    await stores.accounts.apply(AccountChange(bob, off))

    async def found(wanted: UserFilter, after: PageKey | None = None, limit: int = 9) -> list[User]:
        return list(await stores.accounts.page("default", wanted, after, limit))

    assert await found(UserFilter()) == [off, adam, ada]
    assert await found(UserFilter(email="ada")) == [adam, ada]
    assert await found(UserFilter(active=False)) == [off]
    assert await found(UserFilter(active=True, role="user")) == [adam, ada]
    assert await found(UserFilter(role="admin")) == []
    assert await found(UserFilter(), limit=1) == [off]
    assert await found(UserFilter(), PageKey(off.created_at, off.id)) == [adam, ada]


async def test_what_has_expired_is_dropped(stores: Stores, ada: User) -> None:
    await stores.accounts.keep_token(token(ada), ())

    await stores.accounts.purge(NOW + timedelta(minutes=30))

    assert await stores.accounts.find_token(b"d1", tuple(Purpose), NOW) is None
