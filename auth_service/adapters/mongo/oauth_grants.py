"""Authorization codes and what clients got for them on MongoDB."""

from datetime import datetime

from auth_service.adapters.mongo.ledger import MongoEntry, MongoLedger
from auth_service.adapters.mongo.oauth_rows import end_sessions, open_granted, purge
from auth_service.adapters.mongo.sessions import end_session
from auth_service.adapters.oauth_documents import code_of, granted_of
from auth_service.adapters.oauth_rules import REMEMBERED
from auth_service.adapters.times import micros
from auth_service.application.ports.oauth import (
    CodeRedemption,
    Ending,
    Opened,
    Redeemed,
    Replayed,
    Unknown,
)
from auth_service.domain.events import SessionRevoked
from auth_service.domain.oauth.grants import AuthorizationCode, Granted
from chassis.storage.mongo import store_errors


class MongoOAuthGrants:
    """The port `OAuthGrants`."""

    def __init__(self, ledger: MongoLedger) -> None:
        self._ledger = ledger
        self._database = ledger.database

    async def find_code(self, digest: bytes) -> AuthorizationCode | None:
        """See the port."""
        with store_errors():
            found = await self._database.collection("oauth_codes").find_one({"_id": digest})
        return None if found is None else code_of(found["document"])

    async def redeem_code(self, digest: bytes, opened: Opened, ending: Ending) -> CodeRedemption:
        """See the port."""
        now = micros(ending.at)
        good = {"_id": digest, "used_at": None, "expires_at": {"$gt": now}}
        spent = {"$set": {"used_at": now, "session_id": opened.session.id}}

        async def work(entry: MongoEntry) -> CodeRedemption:
            codes = entry.collection("oauth_codes")
            done = await codes.update_one(good, spent, session=entry.session)
            if done.matched_count == 0:
                return await replayed(entry, "oauth_codes", digest, ending)
            await open_granted(entry, opened)
            return Redeemed()

        return await self._ledger.write(work)

    async def revoke_spent(self, digest: bytes, ending: Ending) -> CodeRedemption:
        """See the port."""
        return await self._ledger.write(
            lambda entry: replayed(entry, "oauth_codes", digest, ending)
        )

    async def open(self, opened: Opened) -> None:
        """See the port."""
        await self._ledger.write(lambda entry: open_granted(entry, opened))

    async def find(self, session_id: str) -> Granted | None:
        """See the port."""
        with store_errors():
            found = await self._database.collection("oauth_grants").find_one({"_id": session_id})
        return None if found is None else granted_of(found["document"])

    async def session_of(self, refresh_digest: bytes, now: datetime) -> str | None:
        """See the port."""
        token = {"_id": refresh_digest, "used_at": None, "expires_at": {"$gt": micros(now)}}
        with store_errors():
            found = await self._database.collection("refresh_tokens").find_one(token)
            if found is None:
                return None
            holder = {"_id": found["session_id"], "revoked_at": None}
            live = await self._database.collection("sessions").find_one(holder, {"_id": 1})
        return None if live is None else str(live["_id"])

    async def revoke(self, event: SessionRevoked, *, forget_at: datetime) -> bool:
        """See the port."""
        return await self._ledger.write(lambda entry: end_session(entry, event, forget_at))

    async def purge(self, now: datetime) -> None:
        """See `Perishables.purge`."""
        await purge(self._database, ("oauth_codes",), now - REMEMBERED)


async def replayed(
    entry: MongoEntry, name: str, digest: bytes, ending: Ending
) -> Replayed | Unknown:
    """End what was got for a code of the collection *name* that is spent."""
    spent = {"_id": digest, "used_at": {"$ne": None}}
    code = await entry.collection(name).find_one(spent, session=entry.session)
    if code is None:
        return Unknown()
    which = {"_id": code["session_id"]}
    session = await entry.collection("sessions").find_one(which, session=entry.session)
    if session is None:
        return Unknown()
    ended = await end_sessions(entry, which, ending)
    return Replayed(session["_id"], session["user_id"], bool(ended))
