"""What every store of sessions must do."""

import asyncio
from datetime import timedelta

from auth_service.adapters.sqlite.stores import SqliteStores
from auth_service.application.ports import NotRedeemable, Redemption, Reused, Rotated
from auth_service.domain.session import LiveSession, RefreshGrant, Session
from auth_service.domain.user import User
from tests.contract.auth_service.conftest import LIFE, NOW, Maker


async def opened(stores: SqliteStores, make: Maker, user: User) -> tuple[Session, RefreshGrant]:
    session, grant = make.session(user), make.grant()
    await stores.sessions.open(session, grant)
    return session, grant


async def redeem(
    stores: SqliteStores, make: Maker, grant: RefreshGrant, successor: RefreshGrant | None = None
) -> Redemption:
    return await stores.sessions.redeem(
        grant.digest, successor or make.grant(), event_id=make.ids.new(), times=make.times()
    )


async def test_an_open_session_is_live_until_its_token_expires(
    stores: SqliteStores, make: Maker, ada: User
) -> None:
    session, _ = await opened(stores, make, ada)

    assert await stores.sessions.find_live(session.id, NOW) == LiveSession(session.id, ada)
    assert await stores.sessions.find_live(session.id, NOW + LIFE) is None
    assert await stores.sessions.find_live("unknown", NOW) is None


async def test_redeeming_spends_the_token_and_keeps_its_successor(
    stores: SqliteStores, make: Maker, ada: User
) -> None:
    session, grant = await opened(stores, make, ada)
    successor = make.grant(NOW + timedelta(days=1))

    assert await redeem(stores, make, grant, successor) == Rotated(LiveSession(session.id, ada))
    assert isinstance(await redeem(stores, make, successor), Rotated)


async def test_a_successor_prolongs_the_session(
    stores: SqliteStores, make: Maker, ada: User
) -> None:
    session, grant = await opened(stores, make, ada)
    await redeem(stores, make, grant, make.grant(NOW + timedelta(days=1)))

    assert await stores.sessions.find_live(session.id, NOW + LIFE) is not None


async def test_a_spent_token_revokes_its_session_once(
    stores: SqliteStores, make: Maker, ada: User
) -> None:
    session, grant = await opened(stores, make, ada)
    await redeem(stores, make, grant)

    assert await redeem(stores, make, grant) == Reused(session.id, ada.id, 1, revoked=True)
    assert await redeem(stores, make, grant) == Reused(session.id, ada.id, 1, revoked=False)
    assert await stores.sessions.find_live(session.id, NOW) is None
    assert len(await stores.sessions.after(0, now=NOW, limit=10)) == 1
    assert [event.type for _, event in await stores.log.read_log(1, 10)] == [
        "io.autoworker.auth.session-revoked.v1"
    ]


async def test_a_refused_token_leaves_no_successor(
    stores: SqliteStores, make: Maker, ada: User
) -> None:
    _, grant = await opened(stores, make, ada)
    await redeem(stores, make, grant)
    successor = make.grant()
    await redeem(stores, make, grant, successor)

    assert await redeem(stores, make, successor) == NotRedeemable()


async def test_unknown_and_expired_tokens_change_nothing(
    stores: SqliteStores, make: Maker, ada: User
) -> None:
    session, grant = await opened(stores, make, ada)

    assert await redeem(stores, make, make.grant()) == NotRedeemable()
    late = await stores.sessions.redeem(
        grant.digest,
        make.grant(NOW + LIFE),
        event_id=make.ids.new(),
        times=make.times(NOW + LIFE),
    )

    assert late == NotRedeemable()
    assert await stores.sessions.find_live(session.id, NOW) is not None


async def test_of_simultaneous_uses_exactly_one_rotates(
    stores: SqliteStores, make: Maker, ada: User
) -> None:
    _, grant = await opened(stores, make, ada)

    outcomes = await asyncio.gather(*(redeem(stores, make, grant) for _ in range(50)))

    assert sum(isinstance(outcome, Rotated) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, Reused) and outcome.revoked for outcome in outcomes) == 1


async def test_a_revoked_session_redeems_nothing(
    stores: SqliteStores, make: Maker, ada: User
) -> None:
    session, grant = await opened(stores, make, ada)

    assert await stores.sessions.revoke(make.revoked(session), forget_at=NOW + LIFE)
    assert not await stores.sessions.revoke(make.revoked(session), forget_at=NOW + LIFE)
    assert await redeem(stores, make, grant) == NotRedeemable()


async def test_networks_are_known_by_live_sessions(
    stores: SqliteStores, make: Maker, ada: User
) -> None:
    session, _ = await opened(stores, make, ada)
    network = session.origin.network

    assert await stores.sessions.is_known_network(ada.id, network, NOW)
    assert not await stores.sessions.is_known_network(ada.id, "203.0.113.1", NOW)
    assert not await stores.sessions.is_known_network("somebody", network, NOW)
    await stores.sessions.revoke(make.revoked(session), forget_at=NOW + LIFE)
    assert not await stores.sessions.is_known_network(ada.id, network, NOW)


async def test_the_feed_is_in_order_and_goes_on_behind_a_position(
    stores: SqliteStores, make: Maker, ada: User
) -> None:
    sessions = [(await opened(stores, make, ada))[0] for _ in range(3)]
    for session in sessions:
        await stores.sessions.revoke(make.revoked(session), forget_at=NOW + LIFE)

    everything = await stores.sessions.after(0, now=NOW, limit=10)

    assert [entry.session_id for entry in everything] == [session.id for session in sessions]
    behind = await stores.sessions.after(everything[0].position, now=NOW, limit=1)
    assert list(behind) == [everything[1]]


async def test_positions_are_never_used_again(stores: SqliteStores, make: Maker, ada: User) -> None:
    first, _ = await opened(stores, make, ada)
    await stores.sessions.revoke(make.revoked(first), forget_at=NOW)
    await stores.sessions.purge(NOW + timedelta(seconds=1))
    second, _ = await opened(stores, make, ada)
    await stores.sessions.revoke(make.revoked(second), forget_at=NOW + LIFE)

    (entry,) = await stores.sessions.after(1, now=NOW, limit=10)
    assert entry.session_id == second.id


async def test_waiting_ends_with_the_next_revocation_or_with_time(
    stores: SqliteStores, make: Maker, ada: User
) -> None:
    session, _ = await opened(stores, make, ada)
    await stores.sessions.wait(0, seconds=0.01)
    waiting = asyncio.ensure_future(stores.sessions.wait(0, seconds=30))
    await asyncio.sleep(0)

    await stores.sessions.revoke(make.revoked(session), forget_at=NOW + LIFE)

    await asyncio.wait_for(waiting, 5)


async def test_purging_drops_only_what_has_expired(
    stores: SqliteStores, make: Maker, ada: User
) -> None:
    session, grant = await opened(stores, make, ada)

    await stores.sessions.purge(NOW + LIFE - timedelta(seconds=1))
    assert await stores.sessions.find_live(session.id, NOW) is not None

    await stores.sessions.purge(NOW + LIFE)
    assert await stores.sessions.find_live(session.id, NOW) is None
    assert await redeem(stores, make, grant) == NotRedeemable()


async def test_purging_drops_expired_tokens_of_a_session_that_goes_on(
    stores: SqliteStores, make: Maker, ada: User
) -> None:
    session, grant = await opened(stores, make, ada)
    await redeem(stores, make, grant, make.grant(NOW + timedelta(days=1)))

    await stores.sessions.purge(NOW + LIFE)

    assert await redeem(stores, make, grant) == NotRedeemable()
    assert await stores.sessions.find_live(session.id, NOW + LIFE) is not None
