"""Authorization requests on their way on MongoDB."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from auth_service.adapters.mongo.ledger import MongoEntry, MongoLedger
from auth_service.adapters.mongo.oauth_rows import open_granted, purge
from auth_service.adapters.mongo.users import hold_user
from auth_service.adapters.oauth_documents import encode, pending_of, pushed_of
from auth_service.adapters.times import micros
from auth_service.application.ports.oauth import Outcome, Pending
from auth_service.domain.oauth.device import DeviceState
from auth_service.domain.oauth.grants import Granted
from chassis.storage.keys import key_of
from chassis.storage.mongo import Document, store_errors


class MongoAuthorizationRequests:
    """The port `AuthorizationRequests`."""

    def __init__(self, ledger: MongoLedger) -> None:
        self._ledger = ledger
        self._database = ledger.database

    async def push(
        self, digest: bytes, client_id: str, values: Mapping[str, str], expires_at: datetime
    ) -> None:
        """See the port."""
        pushed = {
            "_id": digest,
            "client_id": client_id,
            "document": encode(values),
            "expires_at": micros(expires_at),
            "used_at": None,
        }
        await self._insert("oauth_pushed", pushed)

    async def take_pushed(
        self, digest: bytes, client_id: str, now: datetime
    ) -> Mapping[str, str] | None:
        """See the port."""
        fresh = {"client_id": client_id, "used_at": None, "expires_at": {"$gt": micros(now)}}

        async def work(entry: MongoEntry) -> Mapping[str, str] | None:
            taken: Document | None = await entry.collection("oauth_pushed").find_one_and_update(
                {"_id": digest, **fresh}, {"$set": {"used_at": micros(now)}}, session=entry.session
            )
            return None if taken is None else pushed_of(taken["document"])

        return await self._ledger.write(work)

    async def add(self, pending: Pending) -> None:
        """See the port."""
        request = {
            "_id": pending.digest,
            "browser": pending.browser,
            "client_id": pending.request.client_id,
            "document": encode(pending),
            "expires_at": micros(pending.expires_at),
            "finished_at": None,
        }
        await self._insert("oauth_requests", request)

    async def find(self, digest: bytes, now: datetime) -> Pending | None:
        """See the port."""
        with store_errors():
            found = await self._database.collection("oauth_requests").find_one(_open(digest, now))
        if found is None:
            return None
        # The browser beside the document counts: a login gives it a new cookie.
        return replace(pending_of(found["document"]), browser=bytes(found["browser"]))

    async def finish(
        self, pending: Pending, outcome: Outcome, *, consent: Sequence[str] | None, now: datetime
    ) -> bool:
        """See the port."""

        async def work(entry: MongoEntry) -> bool:
            finished = await entry.collection("oauth_requests").update_one(
                _open(pending.digest, now),
                {"$set": {"finished_at": micros(now)}},
                session=entry.session,
            )
            if finished.matched_count == 0:
                return False
            await _come_of(entry, outcome)
            if outcome.granted is not None and consent is not None:
                await _agree(entry, outcome.granted, consent, now)
            return True

        return await self._ledger.write(work)

    async def purge(self, now: datetime) -> None:
        """See `Perishables.purge`."""
        await purge(self._database, ("oauth_requests", "oauth_pushed"), now)

    async def _insert(self, name: str, document: Document) -> None:
        async def work(entry: MongoEntry) -> None:
            await entry.collection(name).insert_one(document, session=entry.session)

        await self._ledger.write(work)


def _open(digest: bytes, now: datetime) -> Document:
    return {"_id": digest, "finished_at": None, "expires_at": {"$gt": micros(now)}}


async def _come_of(entry: MongoEntry, outcome: Outcome) -> None:
    code = outcome.code
    if code is not None:
        kept = {
            "_id": code.digest,
            "client_id": code.granted.client_id,
            "document": encode(code),
            "expires_at": micros(code.expires_at),
            "used_at": None,
            "session_id": None,
        }
        await entry.collection("oauth_codes").insert_one(kept, session=entry.session)
    if outcome.opened is not None:
        await open_granted(entry, outcome.opened)
    if outcome.device:
        await _answer(entry, outcome.device, outcome.granted)


async def _answer(entry: MongoEntry, device: bytes, granted: Granted | None) -> None:
    answer = {
        "state": DeviceState.APPROVED.value if granted else DeviceState.DENIED.value,
        "granted": encode(granted) if granted else None,
    }
    await entry.collection("oauth_devices").update_one(
        {"_id": device, "state": DeviceState.PENDING.value},
        {"$set": answer},
        session=entry.session,
    )


async def _agree(entry: MongoEntry, granted: Granted, scopes: Sequence[str], now: datetime) -> None:
    await hold_user(entry, granted.user_id)
    values = {
        "user_id": granted.user_id,
        "client_id": granted.client_id,
        "scopes": " ".join(scopes),
        "granted_at": micros(now),
    }
    await entry.collection("oauth_consents").replace_one(
        {"_id": key_of(granted.user_id, granted.client_id)},
        values,
        upsert=True,
        session=entry.session,
    )
