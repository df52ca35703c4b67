"""Whatever counts once counts once, however many use it, also after a restart."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import TypeVar

import pytest

from auth_service.application.ports import Redemption, Rotated
from auth_service.application.ports.oauth import (
    CodeRedemption,
    Opened,
    Outcome,
    Redeemed,
    Replayed,
    ServiceAccount,
)
from auth_service.application.ports.oauth_devices import (
    Approved,
    Poll,
    Waiting,
)
from auth_service.application.ports.sessions import RevocationTimes
from auth_service.bootstrap.stores import Stores
from auth_service.domain.oauth.grants import Granted
from auth_service.domain.user import User
from tests.contract.auth_service.adapters import LASTING, STORES
from tests.contract.auth_service.conftest import NOW, Maker
from tests.contract.auth_service.oauth_maker import MINUTE, OAuthMaker, kept_client

T = TypeVar("T")
MANY = 50
ROUNDS = 3


@pytest.fixture
def oauth(ada: User, make: Maker) -> OAuthMaker:
    return OAuthMaker(ada, make.ids)


def rounds(processes: Sequence[Stores]) -> int:
    return ROUNDS if len(processes) == 1 else 1


async def at_once(
    processes: Sequence[Stores], work: Callable[[Stores], Awaitable[T]]
) -> Sequence[T]:
    return await asyncio.gather(*(work(at) for _, at in zip(range(MANY), cycle(processes))))


async def redeemed(
    oauth: OAuthMaker, client_id: str, digest: bytes, stores: Stores
) -> CodeRedemption:
    return await stores.oauth.grants.redeem_code(digest, oauth.opened(client_id), oauth.ending())


async def refreshed(oauth: OAuthMaker, client_id: str, digest: bytes, stores: Stores) -> Redemption:
    return await stores.sessions.redeem(
        digest,
        Maker(ids=oauth.ids).grant(),
        event_id=oauth.ids.new(),
        times=RevocationTimes(NOW, NOW + MINUTE),
        client_id=client_id,
    )


async def test_one_of_many_redeems_a_code_and_the_others_end_it(
    stores: Stores, processes: Sequence[Stores], oauth: OAuthMaker
) -> None:
    client = await kept_client(stores, oauth)
    for _ in range(rounds(processes)):
        code = oauth.code(client.id)
        pending = oauth.pending(client.id, b"browser")
        await stores.oauth.requests.add(pending)
        assert await stores.oauth.requests.finish(
            pending, Outcome(code=code), consent=None, now=NOW
        )

        outcomes = await at_once(processes, partial(redeemed, oauth, client.id, code.digest))

        assert outcomes.count(Redeemed()) == 1
        ended = [each for each in outcomes if isinstance(each, Replayed)]
        assert len(ended) == MANY - 1
        assert sum(each.revoked for each in ended) == 1
        assert await stores.sessions.find_live(ended[0].session_id, NOW) is None


async def test_one_of_many_refreshes(
    stores: Stores, processes: Sequence[Stores], oauth: OAuthMaker
) -> None:
    client = await kept_client(stores, oauth)
    for _ in range(rounds(processes)):
        opened = oauth.opened(client.id)
        await stores.oauth.grants.open(opened)
        assert opened.refresh is not None

        outcomes = await at_once(
            processes, partial(refreshed, oauth, client.id, opened.refresh.digest)
        )

        assert sum(isinstance(each, Rotated) for each in outcomes) == 1
        assert await stores.sessions.find_live(opened.session.id, NOW) is None


async def approved_device(stores: Stores, oauth: OAuthMaker, client_id: str) -> bytes:
    grant = oauth.device(client_id)
    assert await stores.oauth.devices.add(grant)
    pending = oauth.pending(client_id, b"browser", grant.digest)
    await stores.oauth.requests.add(pending)
    outcome = Outcome(device=grant.digest, granted=oauth.granted(client_id))
    assert await stores.oauth.requests.finish(pending, outcome, consent=["openid"], now=NOW)
    return grant.digest


async def polled(oauth: OAuthMaker, client_id: str, digest: bytes, stores: Stores) -> Poll:
    def opening(granted: Granted) -> Opened:
        return oauth.opened(client_id)

    return await stores.oauth.devices.poll(digest, client_id, opening, oauth.ending())


async def test_one_of_many_gets_what_a_device_was_granted(
    stores: Stores, processes: Sequence[Stores], oauth: OAuthMaker
) -> None:
    client = await kept_client(stores, oauth)
    for _ in range(rounds(processes)):
        digest = await approved_device(stores, oauth, client.id)

        outcomes = await at_once(processes, partial(polled, oauth, client.id, digest))

        assert sum(isinstance(each, Approved) for each in outcomes) == 1
        ended = [each for each in outcomes if isinstance(each, Replayed)]
        assert len(ended) == MANY - 1
        assert await stores.sessions.find_live(ended[0].session_id, NOW) is None


async def test_one_of_many_finishes_a_request(
    stores: Stores, processes: Sequence[Stores], oauth: OAuthMaker
) -> None:
    client = await kept_client(stores, oauth)
    pending = oauth.pending(client.id, b"browser")
    await stores.oauth.requests.add(pending)

    finished = await at_once(
        processes,
        lambda at: at.oauth.requests.finish(
            pending, Outcome(code=oauth.code(client.id)), consent=None, now=NOW
        ),
    )

    assert sum(finished) == 1
    assert await stores.oauth.requests.find(pending.digest, NOW) is None


async def test_one_of_many_takes_what_was_pushed_and_one_assertion_counts(
    stores: Stores, processes: Sequence[Stores], oauth: OAuthMaker
) -> None:
    client = await kept_client(stores, oauth)
    pushed, assertion = oauth.digest(), oauth.digest()
    await stores.oauth.requests.push(pushed, client.id, {"a": "b"}, NOW + MINUTE)

    taken = await at_once(
        processes, lambda at: at.oauth.requests.take_pushed(pushed, client.id, NOW)
    )
    first = await at_once(
        processes, lambda at: at.oauth.clients.first_use(client.id, assertion, NOW + MINUTE)
    )

    assert [each for each in taken if each is not None] == [{"a": "b"}]
    assert sum(first) == 1


async def test_one_of_many_devices_has_a_user_code(
    processes: Sequence[Stores], oauth: OAuthMaker
) -> None:
    client = await kept_client(processes[0], oauth)
    code = oauth.digest()

    kept = await at_once(
        processes, lambda at: at.oauth.devices.add(replace(oauth.device(client.id), user_code=code))
    )

    assert sum(kept) == 1


async def test_requests_that_are_agreed_to_at_once_are_all_finished(
    processes: Sequence[Stores], oauth: OAuthMaker, ada: User
) -> None:
    client = await kept_client(processes[0], oauth)

    async def agreed(at: Stores) -> bool:
        pending = oauth.pending(client.id, b"browser")
        await at.oauth.requests.add(pending)
        outcome = Outcome(opened=oauth.opened(client.id), granted=oauth.granted(client.id))
        return await at.oauth.requests.finish(pending, outcome, consent=["openid"], now=NOW)

    assert all(await asyncio.gather(*(agreed(at) for at in (*processes, *processes))))
    assert await processes[0].oauth.consents.find(ada.id, client.id) == ["openid"]


async def test_of_secrets_that_come_at_once_the_latest_lasts(
    processes: Sequence[Stores], oauth: OAuthMaker
) -> None:
    client = oauth.client()
    await processes[0].oauth.clients.add(client, None, None)

    await asyncio.gather(
        *(
            at.oauth.clients.rotate(client, oauth.secret(), old_until=NOW + MINUTE)
            for _, at in zip(range(2), cycle(processes), strict=False)
        )
    )

    secrets = await processes[0].oauth.clients.secrets(client.id, NOW)
    assert len(secrets) == 2
    assert [each.expires_at for each in secrets].count(None) == 1


async def test_of_sessions_that_a_service_account_gets_at_once_one_lives(
    processes: Sequence[Stores], oauth: OAuthMaker
) -> None:
    account = ServiceAccount(oauth.ids.new(), ("user",), oauth.ids.new())
    client = oauth.client(account.user_id)
    await processes[0].oauth.clients.add(client, None, account)
    fresh = [replace(oauth.session(client.id), user_id=account.user_id) for _ in range(4)]

    await asyncio.gather(
        *(
            at.oauth.clients.renew_session(client, session, oauth.ending())
            for session, at in zip(fresh, cycle(processes), strict=False)
        )
    )

    found = [await processes[0].sessions.find_live(each.id, NOW) for each in fresh]
    assert [live.id for live in found if live is not None] == [
        await processes[0].oauth.clients.session_of(client)
    ]


async def test_nothing_of_a_client_lives_that_goes_while_a_code_is_redeemed(
    processes: Sequence[Stores], oauth: OAuthMaker
) -> None:
    for _ in range(ROUNDS):
        client = await kept_client(processes[0], oauth)
        pending, code = oauth.pending(client.id, b"browser"), oauth.code(client.id)
        await processes[0].oauth.requests.add(pending)
        await processes[0].oauth.requests.finish(pending, Outcome(code=code), consent=None, now=NOW)
        opened = oauth.opened(client.id)

        await asyncio.gather(
            processes[0].oauth.clients.delete(client, oauth.ending()),
            processes[-1].oauth.grants.redeem_code(code.digest, opened, oauth.ending()),
        )

        assert await processes[0].sessions.find_live(opened.session.id, NOW) is None


@pytest.mark.parametrize("adapter", LASTING)
async def test_a_restart_makes_nothing_good_again(adapter: str, tmp_path: Path) -> None:
    async with STORES[adapter](tmp_path) as stores:
        maker = Maker()
        user = maker.user()
        await stores.users.add(maker.registered(user))
        oauth = OAuthMaker(user, maker.ids)
        client = await kept_client(stores, oauth)
        digest = await approved_device(stores, oauth, client.id)
        fresh = oauth.device(client.id)
        await stores.oauth.devices.add(fresh)
        assert isinstance(await polled(oauth, client.id, digest, stores), Approved)
    async with STORES[adapter](tmp_path) as stores:
        assert isinstance(await polled(oauth, client.id, digest, stores), Replayed)
        assert await polled(oauth, client.id, fresh.digest, stores) == Waiting()
