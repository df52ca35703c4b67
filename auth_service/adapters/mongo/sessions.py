"""Sessions and their refresh tokens on MongoDB."""

import asyncio
from datetime import datetime
from typing import Final

from auth_service.adapters.mongo.documents import user_from
from auth_service.adapters.mongo.ledger import MongoEntry, MongoLedger
from auth_service.adapters.mongo.refresh_tokens import (
    SESSIONS,
    TOKENS,
    Presented,
    Unchanged,
    add_token,
    effective,
    presented,
)
from auth_service.adapters.mongo.schema import BY_SESSION
from auth_service.adapters.mongo.users import hold_user
from auth_service.adapters.times import micros, moment
from auth_service.application.ports import (
    Change,
    NotRedeemable,
    Redemption,
    RevocationKind,
    RevocationTimes,
    Rotated,
)
from auth_service.domain.events import SessionRevoked
from auth_service.domain.mfa.proofs import Proof
from auth_service.domain.session import LiveSession, RefreshGrant, RevocationReason, Session
from chassis.storage.mongo import Document, MongoDatabase, store_errors
from chassis.storage.mongo import Session as Transaction

_AT_ONCE: Final = 1_000


class MongoSessions:
    """The port `Sessions`."""

    def __init__(self, ledger: MongoLedger) -> None:
        self._ledger = ledger
        self._database = ledger.database
        self._sessions = ledger.database.collection(SESSIONS)

    async def open(self, session: Session, first: RefreshGrant) -> None:
        """See the port."""
        await self._ledger.write(
            lambda entry: open_session(entry, session, first.expires_at, first)
        )

    async def redeem(
        self,
        digest: bytes,
        successor: RefreshGrant,
        *,
        event_id: str,
        times: RevocationTimes,
        client_id: str = "",
    ) -> Redemption:
        """See the port."""

        at = micros(times.at)

        async def work(entry: MongoEntry) -> Redemption:
            shown = effective(await presented(entry, entry.session, digest, client_id, at))
            if shown.is_good:
                return await self._rotate(entry, shown, successor)
            revoked = await end_session(entry, _reuse(shown, event_id, times), times.forget_at)
            return shown.reused(revoked=revoked)

        try:
            # Whatever strangers show takes no turn from those who write.
            with store_errors():
                _ = effective(await presented(self._database, None, digest, client_id, at))
            return await self._ledger.write(work)
        except Unchanged as refusal:
            return refusal.outcome

    async def _rotate(
        self, entry: MongoEntry, shown: Presented, successor: RefreshGrant
    ) -> Rotated:
        session_id = shown.session["_id"]
        user = await entry.collection("users").find_one(
            {"_id": shown.session["user_id"], "disabled_at": None}, session=entry.session
        )
        if user is None:
            raise Unchanged(NotRedeemable())
        # Both are written: who spends the same token, or ends the session, at this moment begins again.
        await entry.collection(TOKENS).update_one(
            {"_id": shown.token["_id"]}, {"$set": {"used_at": shown.at}}, session=entry.session
        )
        await add_token(entry, shown.session, shown.token["generation"] + 1, successor)
        prolonged = {
            "expires_at": micros(successor.expires_at),
            "last_seen_at": micros(successor.issued_at),
        }
        await entry.collection(SESSIONS).update_one(
            {"_id": session_id}, {"$set": prolonged}, session=entry.session
        )
        has_factor = await _has_factor(self._database, user["_id"], entry.session)
        return Rotated(_live(shown.session, user, has_factor=has_factor))

    async def revoke(self, event: SessionRevoked, *, forget_at: datetime) -> bool:
        """See the port."""
        return await self._ledger.write(lambda entry: end_session(entry, event, forget_at))

    async def find_live(self, session_id: str, now: datetime) -> LiveSession | None:
        """See the port."""
        which = {"_id": session_id, "revoked_at": None, "expires_at": {"$gt": micros(now)}}
        with store_errors():
            session = await self._sessions.find_one(which)
            if session is None:
                return None
            person = {"_id": session["user_id"], "disabled_at": None}
            user, has_factor = await asyncio.gather(
                self._database.collection("users").find_one(person),
                _has_factor(self._database, session["user_id"]),
            )
        return None if user is None else _live(session, user, has_factor=has_factor)

    async def prove(self, session_id: str, proof: Proof, change: Change) -> bool:
        """See the port."""
        which = {"_id": session_id, "revoked_at": None}
        proved = {"$set": {"proved_at": micros(proof.at), "amr": list(proof.amr)}}

        async def work(entry: MongoEntry) -> bool:
            done = await self._sessions.update_one(which, proved, session=entry.session)
            if done.matched_count != 1:
                return False
            entry.revoke(change)
            return True

        return await self._ledger.write(work)

    async def is_known_network(self, user_id: str, network: str, now: datetime) -> bool:
        """See the port."""
        which = {
            "user_id": user_id,
            "network": network,
            "revoked_at": None,
            "expires_at": {"$gt": micros(now)},
        }
        with store_errors():
            return await self._sessions.find_one(which, {"_id": 1}) is not None

    async def purge(self, now: datetime) -> None:
        """See the port."""
        over = {"expires_at": {"$lte": micros(now)}}
        with store_errors():
            while some := await self._sessions.find(over, {"_id": 1}).to_list(_AT_ONCE):
                await self._drop([each["_id"] for each in some])
            await self._database.collection(TOKENS).delete_many(over)

    async def _drop(self, ids: list[str]) -> None:
        # What belongs to them goes first: what a crash leaves behind is found again by its session.
        for name, member in BY_SESSION.items():
            await self._database.collection(name).delete_many({member: {"$in": ids}})
        await self._sessions.delete_many({"_id": {"$in": ids}})


async def open_session(
    entry: MongoEntry,
    session: Session,
    expires_at: datetime,
    refresh: RefreshGrant | None = None,
) -> None:
    """Keep *session*, and the first of its refresh tokens when it has any.

    Raises:
        UserNotFound: the user has been erased.
    """
    document = _session_document(session, expires_at)
    await hold_user(entry, session.user_id)
    await entry.collection(SESSIONS).insert_one(document, session=entry.session)
    if refresh is not None:
        await add_token(entry, document, 1, refresh)


async def end_session(entry: MongoEntry, event: SessionRevoked, forget_at: datetime) -> bool:
    """End the session, put it on the feed and announce it; whether it still lived."""
    which = {
        "_id": event.session_id,
        "tenant": event.tenant,
        "user_id": event.user_id,
        "revoked_at": None,
    }
    over = {"$set": {"revoked_at": micros(event.at), "revoked_because": event.reason.value}}
    ended = await entry.collection(SESSIONS).update_one(which, over, session=entry.session)
    if ended.matched_count != 1:
        return False
    entry.revoke(Change(RevocationKind.SESSION, event.session_id, forget_at))
    entry.announce(event)
    return True


def _reuse(shown: Presented, event_id: str, times: RevocationTimes) -> SessionRevoked:
    session = shown.session
    return SessionRevoked(
        id=event_id,
        session_id=session["_id"],
        user_id=session["user_id"],
        tenant=session["tenant"],
        reason=RevocationReason.REFRESH_TOKEN_REUSED,
        at=times.at,
    )


async def _has_factor(
    database: MongoDatabase, user_id: str, transaction: Transaction | None = None
) -> bool:
    confirmed = {"user_id": user_id, "confirmed_at": {"$gt": 0}}
    factors = database.collection("mfa_factors")
    return await factors.find_one(confirmed, {"_id": 1}, session=transaction) is not None


def _live(session: Document, user: Document, *, has_factor: bool) -> LiveSession:
    proof = Proof(moment(session["proved_at"]), tuple(session["amr"]))
    return LiveSession(session["_id"], user_from(user), proof, has_factor)


def _session_document(session: Session, expires_at: datetime) -> Document:
    return {
        "_id": session.id,
        "user_id": session.user_id,
        "tenant": session.tenant,
        "network": session.origin.network,
        "address": session.origin.address,
        "user_agent": session.origin.user_agent,
        "created_at": micros(session.created_at),
        "last_seen_at": None,
        "expires_at": micros(expires_at),
        "revoked_at": None,
        "revoked_because": None,
        "proved_at": micros(session.proof.at),
        "amr": list(session.proof.amr),
        "client_id": session.client_id,
        "parent_id": session.parent_id,
    }
