"""What every store of sessions must do."""

import asyncio
from datetime import timedelta

from auth_service.application.ports import (
    Change,
    NotRedeemable,
    Redemption,
    Reused,
    RevocationKind,
    Rotated,
)
from auth_service.bootstrap.stores import Stores
from auth_service.domain.mfa.proofs import Proof
from auth_service.domain.session import LiveSession, RefreshGrant, Session
from auth_service.domain.user import User
from tests.contract.auth_service.conftest import LIFE, NOW, PROOF, Maker


async def opened(stores: Stores, make: Maker, user: User) -> tuple[Session, RefreshGrant]:
    session, grant = make.session(user), make.grant()
    await stores.sessions.open(session, grant)
    return session, grant


async def redeem(
    stores: Stores, make: Maker, grant: RefreshGrant, successor: RefreshGrant | None = None
) -> Redemption:
    return await stores.sessions.redeem(
        grant.digest, successor or make.grant(), event_id=make.ids.new(), times=make.times()
    )


async def test_an_open_session_is_live_until_its_token_expires(
    stores: Stores, make: Maker, ada: User
) -> None:
    session, _ = await opened(stores, make, ada)

    assert await stores.sessions.find_live(session.id, NOW) == LiveSession(session.id, ada, PROOF)
    assert await stores.sessions.find_live(session.id, NOW + LIFE) is None
    assert await stores.sessions.find_live("unknown", NOW) is None


async def test_redeeming_spends_the_token_and_keeps_its_successor(
    stores: Stores, make: Maker, ada: User
) -> None:
    session, grant = await opened(stores, make, ada)
    successor = make.grant(NOW + timedelta(days=1))

    assert await redeem(stores, make, grant, successor) == Rotated(
        LiveSession(session.id, ada, PROOF)
    )
    assert isinstance(await redeem(stores, make, successor), Rotated)


async def test_a_successor_prolongs_the_session(stores: Stores, make: Maker, ada: User) -> None:
    session, grant = await opened(stores, make, ada)
    await redeem(stores, make, grant, make.grant(NOW + timedelta(days=1)))

    assert await stores.sessions.find_live(session.id, NOW + LIFE) is not None


async def test_a_spent_token_revokes_its_session_once(
    stores: Stores, make: Maker, ada: User
) -> None:
    session, grant = await opened(stores, make, ada)
    await redeem(stores, make, grant)

    assert await redeem(stores, make, grant) == Reused(
        session.id, ada.id, 1, revoked=True, tenant=ada.tenant
    )
    assert await redeem(stores, make, grant) == Reused(
        session.id, ada.id, 1, revoked=False, tenant=ada.tenant
    )
    assert await stores.sessions.find_live(session.id, NOW) is None
    assert len(await stores.revocations.after(0, now=NOW, limit=10)) == 1
    assert [event.type for _, event in await stores.log.read_log(1, 10)] == [
        "io.autoworker.auth.session-revoked.v1"
    ]


async def test_a_refused_token_leaves_no_successor(stores: Stores, make: Maker, ada: User) -> None:
    _, grant = await opened(stores, make, ada)
    await redeem(stores, make, grant)
    successor = make.grant()
    await redeem(stores, make, grant, successor)

    assert await redeem(stores, make, successor) == NotRedeemable()


async def test_unknown_and_expired_tokens_change_nothing(
    stores: Stores, make: Maker, ada: User
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
    stores: Stores, make: Maker, ada: User
) -> None:
    _, grant = await opened(stores, make, ada)

    outcomes = await asyncio.gather(*(redeem(stores, make, grant) for _ in range(50)))

    assert sum(isinstance(outcome, Rotated) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, Reused) and outcome.revoked for outcome in outcomes) == 1


async def test_a_revoked_session_redeems_nothing(stores: Stores, make: Maker, ada: User) -> None:
    session, grant = await opened(stores, make, ada)

    assert await stores.sessions.revoke(make.revoked(session), forget_at=NOW + LIFE)
    assert not await stores.sessions.revoke(make.revoked(session), forget_at=NOW + LIFE)
    assert await redeem(stores, make, grant) == NotRedeemable()


async def test_networks_are_known_by_live_sessions(stores: Stores, make: Maker, ada: User) -> None:
    session, _ = await opened(stores, make, ada)
    network = session.origin.network

    assert await stores.sessions.is_known_network(ada.id, network, NOW)
    assert not await stores.sessions.is_known_network(ada.id, "203.0.113.1", NOW)
    assert not await stores.sessions.is_known_network("somebody", network, NOW)
    await stores.sessions.revoke(make.revoked(session), forget_at=NOW + LIFE)
    assert not await stores.sessions.is_known_network(ada.id, network, NOW)


async def test_purging_drops_only_what_has_expired(stores: Stores, make: Maker, ada: User) -> None:
    session, grant = await opened(stores, make, ada)

    await stores.sessions.purge(NOW + LIFE - timedelta(seconds=1))
    assert await stores.sessions.find_live(session.id, NOW) is not None

    await stores.sessions.purge(NOW + LIFE)
    assert await stores.sessions.find_live(session.id, NOW) is None
    assert await redeem(stores, make, grant) == NotRedeemable()


async def test_purging_drops_expired_tokens_of_a_session_that_goes_on(
    stores: Stores, make: Maker, ada: User
) -> None:
    session, grant = await opened(stores, make, ada)
    await redeem(stores, make, grant, make.grant(NOW + timedelta(days=1)))

    await stores.sessions.purge(NOW + LIFE)

    assert await redeem(stores, make, grant) == NotRedeemable()
    assert await stores.sessions.find_live(session.id, NOW + LIFE) is not None


async def test_a_session_knows_its_latest_proof_and_the_feed_tells_of_it(
    stores: Stores, make: Maker, ada: User
) -> None:
    session, _ = await opened(stores, make, ada)
    proof = Proof(NOW + timedelta(hours=1), ("pwd", "otp", "mfa"))
    change = Change(RevocationKind.PRINCIPAL, ada.id, NOW + LIFE)

    assert await stores.sessions.prove(session.id, proof, change)

    live = await stores.sessions.find_live(session.id, NOW)
    assert live is not None
    assert live.proof == proof
    assert [each.change for each in await stores.revocations.after(0, now=NOW, limit=9)] == [change]
    assert not await stores.sessions.prove("unknown", proof, change)
