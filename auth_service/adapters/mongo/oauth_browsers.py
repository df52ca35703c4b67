"""Logins in browsers, and what users have agreed to there, on MongoDB."""

from collections.abc import Sequence
from datetime import datetime

from pymongo import ASCENDING

from auth_service.adapters.mongo.ledger import MongoEntry, MongoLedger
from auth_service.adapters.mongo.oauth_rows import end_sessions, purge
from auth_service.adapters.mongo.sessions import open_session
from auth_service.adapters.oauth_documents import client_of, encode, login_of
from auth_service.adapters.times import micros, moment
from auth_service.application.ports.oauth import Browser, Consent, Ending
from auth_service.domain.session import Session
from chassis.storage.keys import key_of
from chassis.storage.mongo import Document, store_errors


class MongoBrowsers:
    """The port `Browsers`."""

    def __init__(self, ledger: MongoLedger) -> None:
        self._ledger = ledger
        self._database = ledger.database

    async def find(self, digest: bytes, now: datetime) -> Browser | None:
        """See the port."""
        kept = {"_id": digest, "expires_at": {"$gt": micros(now)}}
        with store_errors():
            found = await self._database.collection("oauth_browsers").find_one(kept)
            if found is None:
                return None
            live = {"_id": found["session_id"], "revoked_at": None}
            session = await self._database.collection("sessions").find_one(live, {"_id": 1})
        return None if session is None else _browser(found)

    async def open(
        self, browser: Browser, session: Session, *, before: bytes, ending: Ending
    ) -> None:
        """See the port."""

        async def work(entry: MongoEntry) -> None:
            await _leave(entry, before, ending)
            await open_session(entry, session, browser.expires_at)
            await entry.collection("oauth_browsers").insert_one(
                _document(browser, session), session=entry.session
            )
            await entry.collection("oauth_requests").update_many(
                {"browser": before}, {"$set": {"browser": browser.digest}}, session=entry.session
            )

        await self._ledger.write(work)

    async def end(self, browser: Browser, ending: Ending) -> Sequence[str]:
        """See the port."""

        async def work(entry: MongoEntry) -> Sequence[str]:
            await entry.collection("oauth_browsers").delete_one(
                {"_id": browser.digest}, session=entry.session
            )
            session_id = browser.login.session_id
            ends = [session_id, *await _without_offline(entry, session_id)]
            return await end_sessions(entry, {"_id": {"$in": ends}}, ending)

        return await self._ledger.write(work)

    async def purge(self, now: datetime) -> None:
        """See `Perishables.purge`."""
        await purge(self._database, ("oauth_browsers",), now)


class MongoConsents:
    """The port `Consents`."""

    def __init__(self, ledger: MongoLedger) -> None:
        self._ledger = ledger
        self._database = ledger.database

    async def find(self, user_id: str, client_id: str) -> Sequence[str]:
        """See the port."""
        which = {"_id": key_of(user_id, client_id)}
        with store_errors():
            found = await self._database.collection("oauth_consents").find_one(which)
        return () if found is None else str(found["scopes"]).split()

    async def of(self, user_id: str) -> Sequence[Consent]:
        """See the port."""
        with store_errors():
            found = self._database.collection("oauth_consents").find({"user_id": user_id})
            given = await found.sort("client_id", ASCENDING).to_list()
            which = {"_id": {"$in": [each["client_id"] for each in given]}}
            clients = self._database.collection("oauth_clients").find(which)
            names = {each["_id"]: client_of(each["document"]).name async for each in clients}
        return [
            Consent(
                each["client_id"],
                names[each["client_id"]],
                tuple(each["scopes"].split()),
                moment(each["granted_at"]),
            )
            for each in given
            if each["client_id"] in names
        ]

    async def withdraw(self, user_id: str, client_id: str, ending: Ending) -> Sequence[str] | None:
        """See the port."""

        async def work(entry: MongoEntry) -> Sequence[str] | None:
            dropped = await entry.collection("oauth_consents").delete_one(
                {"_id": key_of(user_id, client_id)}, session=entry.session
            )
            which = {"client_id": client_id, "user_id": user_id}
            ended = await end_sessions(entry, which, ending)
            return ended if dropped.deleted_count or ended else None

        return await self._ledger.write(work)


async def _leave(entry: MongoEntry, digest: bytes, ending: Ending) -> None:
    """End the login under *digest*, if there is one."""
    left: Document | None = await entry.collection("oauth_browsers").find_one_and_delete(
        {"_id": digest}, session=entry.session
    )
    if left is not None:
        await end_sessions(entry, {"_id": left["session_id"]}, ending)


async def _without_offline(entry: MongoEntry, session_id: str) -> list[str]:
    """The live sessions that a login opened for clients and that have no refresh token."""
    which = {"parent_id": session_id, "revoked_at": None}
    opened = entry.collection("sessions").find(which, {"_id": 1}, session=entry.session)
    ids = [each["_id"] for each in await opened.to_list()]
    lasting = await entry.collection("refresh_tokens").distinct(
        "session_id", {"session_id": {"$in": ids}}, session=entry.session
    )
    return sorted(set(ids).difference(lasting))


def _document(browser: Browser, session: Session) -> Document:
    return {
        "_id": browser.digest,
        "tenant": browser.tenant,
        "session_id": session.id,
        "document": encode(browser.login),
        "expires_at": micros(browser.expires_at),
    }


def _browser(document: Document) -> Browser:
    login, ends = login_of(document["document"]), moment(document["expires_at"])
    return Browser(bytes(document["_id"]), document["tenant"], login, ends)
