"""What the stores of identity must do when several processes share them."""

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import cycle
from pathlib import Path

import pytest

from auth_service.adapters.mongo.mail_outbox import LedMails
from auth_service.adapters.mongo.schema import BY_SESSION, BY_USER
from auth_service.adapters.mongo.stores import MongoStores
from auth_service.application.ports import NotRedeemable, Reused, Rotated
from auth_service.application.ports.accounts import AccountChange, Erasure
from auth_service.domain.errors import EmailTaken, LastAdministrator
from auth_service.domain.permissions import Role
from auth_service.domain.signing_key import KeyUse, SigningKey
from chassis.crypto.key_file import WrappingKeys
from chassis.crypto.mongo_data_keys import own_key
from chassis.errors import CannotStart
from chassis.messaging.leading import LedLog
from tests.contract.auth_service.account_maker import ending, mail, reset, token
from tests.contract.auth_service.adapters import KEYS, process
from tests.contract.auth_service.conftest import LIFE, NOW, Maker
from tests.support.time import eventually

MANY = 50
SOME = 20
Pair = tuple[MongoStores, MongoStores]


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    """Two processes on one store."""
    async with process(tmp_path) as one, process(tmp_path) as other:
        yield one, other


async def test_of_many_who_redeem_one_refresh_token_one_gets_a_new_one(
    pair: Pair, make: Maker
) -> None:
    user, grant = make.user(), make.grant()
    session = make.session(user)
    await pair[0].users.add(make.registered(user))
    await pair[0].sessions.open(session, grant)

    outcomes = await asyncio.gather(
        *(
            store.sessions.redeem(
                grant.digest, make.grant(), event_id=make.ids.new(), times=make.times()
            )
            for store, _ in zip(cycle(pair), range(MANY), strict=False)
        )
    )

    assert sum(isinstance(each, Rotated) for each in outcomes) == 1
    reused = [each for each in outcomes if isinstance(each, Reused)]
    assert len(reused) == MANY - 1
    assert sum(each.revoked for each in reused) == 1
    assert await pair[1].sessions.find_live(session.id, NOW) is None
    told = await pair[1].revocations.after(0, now=NOW, limit=10)
    assert [each.change.subject for each in told] == [session.id]


async def test_a_session_that_ends_elsewhere_gives_no_more_tokens(pair: Pair, make: Maker) -> None:
    one, other = pair
    user = make.user()
    await one.users.add(make.registered(user))
    for _ in range(5):
        session, grant, successor = make.session(user), make.grant(), make.grant()
        await one.sessions.open(session, grant)

        redeemed, _ = await asyncio.gather(
            one.sessions.redeem(
                grant.digest, successor, event_id=make.ids.new(), times=make.times()
            ),
            other.sessions.revoke(make.revoked(session), forget_at=NOW + LIFE),
        )

        assert isinstance(redeemed, Rotated | NotRedeemable)
        after = await one.sessions.redeem(
            successor.digest, make.grant(), event_id=make.ids.new(), times=make.times()
        )
        assert after == NotRedeemable()


async def test_a_link_is_used_once(pair: Pair, make: Maker) -> None:
    user = make.user()
    await pair[0].users.add(make.registered(user))
    await pair[0].accounts.keep_token(token(user), ())

    outcomes = await asyncio.gather(
        *(
            store.accounts.apply(reset(user, number=number))
            for store, number in zip(cycle(pair), range(10), strict=False)
        ),
        return_exceptions=True,
    )

    names = sorted(type(each).__name__ for each in outcomes)
    assert names == ["AccountTokenRefused"] * 9 + ["list"]


@pytest.mark.parametrize("how", ["deactivated", "erased"])
async def test_of_two_administrators_who_leave_at_once_one_stays(
    pair: Pair, make: Maker, how: str
) -> None:
    both = [make.user(f"{n}@example.com", role=Role.ADMIN) for n in range(2)]
    for user in both:
        await pair[0].users.add(make.registered(user))

    outcomes = await asyncio.gather(
        *(
            store.accounts.apply(AccountChange(user, replace(user, disabled_at=NOW)))
            if how == "deactivated"
            else store.accounts.erase(Erasure(user, ending(user.id), (), ()))
            for store, user in zip(pair, both, strict=True)
        ),
        return_exceptions=True,
    )

    assert sum(isinstance(each, LastAdministrator) for each in outcomes) == 1
    assert await pair[0].users.first_administrator("default") is not None


async def test_of_many_who_register_one_address_one_gets_it(pair: Pair, make: Maker) -> None:
    outcomes = await asyncio.gather(
        *(
            store.users.add(make.registered(make.user()))
            for store, _ in zip(cycle(pair), range(10), strict=False)
        ),
        return_exceptions=True,
    )

    assert outcomes.count(None) == 1
    assert sum(isinstance(each, EmailTaken) for each in outcomes) == 9
    assert len(await pair[0].log.read_log(0, 100)) == 1


async def test_a_signing_key_has_one_successor(pair: Pair) -> None:
    keys = [SigningKey(f"k{n}", KeyUse.ACCESS, "", b"pem", NOW, NOW, NOW) for n in range(10)]

    outcomes = await asyncio.gather(
        *(store.keys.add(key) for store, key in zip(cycle(pair), keys, strict=False))
    )

    assert outcomes.count(True) == 1
    assert await pair[0].keys.all() == await pair[1].keys.all()


async def test_processes_that_start_together_agree_on_the_key_of_the_store(
    pair: Pair, tmp_path: Path
) -> None:
    assert pair[0].chain == pair[1].chain
    for name in ("first", "second", "third"):
        made = await asyncio.gather(
            *(
                own_key(store.database, name, KEYS)
                for store, _ in zip(cycle(pair), range(6), strict=False)
            )
        )
        assert len(set(made)) == 1

    with pytest.raises(CannotStart, match="AUTOWORKER_AUTH_KEY_FILE"):
        async with process(tmp_path, WrappingKeys("k1", {"k1": os.urandom(32)})):
            raise AssertionError


async def test_after_a_rotation_the_older_key_of_the_operator_can_go(tmp_path: Path) -> None:
    newer = os.urandom(32)
    async with process(tmp_path) as first:
        chain = first.chain
    both = WrappingKeys("k2", {**KEYS.keys, "k2": newer})
    async with process(tmp_path, both) as one, process(tmp_path, both) as other:
        assert one.chain == other.chain == chain

    async with process(tmp_path, WrappingKeys("k2", {"k2": newer})) as last:
        assert last.chain == chain


async def test_what_one_revokes_wakes_those_who_watch_at_another(pair: Pair, make: Maker) -> None:
    one, other = pair
    user, grant = make.user(), make.grant()
    session = make.session(user)
    await one.users.add(make.registered(user))
    await one.sessions.open(session, grant)
    watching = asyncio.ensure_future(other.revocations.wait(0, seconds=300))
    await asyncio.sleep(0)

    await one.sessions.revoke(make.revoked(session), forget_at=NOW + LIFE)

    await asyncio.wait_for(watching, 30)
    (told,) = await other.revocations.after(0, now=NOW, limit=10)
    assert told.change.subject == session.id


async def test_whoever_reads_the_outbox_misses_nothing_that_processes_write_at_once(
    pair: Pair, make: Maker
) -> None:
    seen: list[int] = []

    async def read() -> None:
        while len(seen) < SOME:
            page = await pair[1].log.read_log(seen[-1] if seen else 0, 7)
            seen.extend(position for position, _ in page)

    users = [make.user(f"{number}@example.com") for number in range(SOME)]
    await asyncio.gather(
        asyncio.wait_for(read(), 50),
        *(
            store.users.add(make.registered(user))
            for store, user in zip(cycle(pair), users, strict=False)
        ),
    )

    assert seen == list(range(1, SOME + 1))


async def test_events_and_mails_are_passed_on_by_one_process_until_it_ends(
    tmp_path: Path, make: Maker
) -> None:
    async with process(tmp_path) as stays:
        async with process(tmp_path) as leaves:
            await stays.users.add(make.registered(make.user()))
            await stays.mails.add(mail())
            logs = [LedLog(each.log, each.leads("relay")) for each in (leaves, stays)]
            mails = [LedMails(each.mails, each.leads("mail")) for each in (leaves, stays)]
            assert [len(await log.read_log(0, 10)) for log in logs] == [1, 0]
            assert [len(await each.due(NOW, 10)) for each in mails] == [1, 0]

        async def taken_over() -> bool:
            events, due = await logs[1].read_log(0, 10), await mails[1].due(NOW, 10)
            return len(events) == 1 and due == [mail()]

        await eventually(taken_over, within=30)


async def test_who_leads_next_goes_on_where_the_last_one_was(pair: Pair, make: Maker) -> None:
    one, other = pair
    for number in range(3):
        await one.users.add(make.registered(make.user(f"{number}@example.com")))
    await one.log.save_checkpoint("relay", 2)
    await other.log.save_checkpoint("relay", 1)  # of one that was slow: it sets nothing back

    log = LedLog(other.log, other.leads("relay"))
    assert await log.load_checkpoint("relay") == 2
    assert [position for position, _ in await log.read_log(0, 10)] == [3]


@pytest.mark.parametrize("what", ["session", "link"])
async def test_nothing_is_left_of_somebody_who_is_erased_while_they_get_something_elsewhere(
    pair: Pair, make: Maker, what: str
) -> None:
    one, other = pair
    for number in range(3):
        user = make.user(f"{number}@example.com")
        await one.users.add(make.registered(user))

        await asyncio.gather(
            one.accounts.erase(Erasure(user, ending(user.id), (), ())),
            other.sessions.open(make.session(user), make.grant())
            if what == "session"
            else other.accounts.keep_token(token(user, user.id.encode()), ()),
            return_exceptions=True,
        )

        assert await one.users.find(user.tenant, user.id) is None
        for name in {*BY_USER, *BY_SESSION}:
            theirs = one.database.collection(name).find({"user_id": user.id})
            assert await theirs.to_list() == [], name


async def test_who_is_erased_leaves_nothing_in_any_collection(pair: Pair, make: Maker) -> None:
    """Also in one that is added later and whose capability forgets to name it."""
    one, _ = pair
    user = make.user()
    await one.users.add(make.registered(user))
    await one.sessions.open(make.session(user), make.grant())
    await one.accounts.keep_token(token(user), ())

    await one.accounts.erase(Erasure(user, ending(), (), ()))

    for name in await one.database.driver.list_collection_names():
        if name not in ("outbox", "revocation_feed"):
            for field in ("_id", "user_id", "owner"):
                kept = one.database.collection(name)
                assert await kept.find_one({field: user.id}) is None, (name, field)
