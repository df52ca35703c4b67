"""Clients, their secrets and their service accounts on MongoDB."""

from collections.abc import Sequence
from datetime import datetime

from pymongo import ASCENDING, DESCENDING

from auth_service.adapters.mongo.documents import SERVICE, user_document
from auth_service.adapters.mongo.ledger import MongoEntry, MongoLedger
from auth_service.adapters.mongo.oauth_rows import end_sessions, purge
from auth_service.adapters.mongo.sessions import open_session
from auth_service.adapters.oauth_documents import client_of, encode
from auth_service.adapters.oauth_rules import FOR_EVER, account_session, account_user
from auth_service.adapters.times import maybe_micros, maybe_moment, micros, moment
from auth_service.application.ports.oauth import Ending, ServiceAccount
from auth_service.application.ports.revocations import Change
from auth_service.domain.errors import ClientNotFound
from auth_service.domain.oauth.client import Client, ClientSecret
from auth_service.domain.session import Session
from chassis.storage.keys import key_of
from chassis.storage.mongo import Document, store_errors

_OF_A_CLIENT = (
    "oauth_codes",
    "oauth_pushed",
    "oauth_requests",
    "oauth_devices",
    "oauth_assertions",
    "oauth_client_secrets",
    "oauth_consents",
)


class MongoOAuthClients:
    """The port `OAuthClients`.

    Whatever changes what belongs to a client writes the client as well, so that of two such changes at
    the same time one begins again: a transaction by itself does not see what another one adds.
    """

    def __init__(self, ledger: MongoLedger) -> None:
        self._ledger = ledger
        self._database = ledger.database

    async def add(
        self, client: Client, secret: ClientSecret | None, account: ServiceAccount | None
    ) -> None:
        """See the port."""

        async def work(entry: MongoEntry) -> None:
            document = {
                "_id": client.id,
                "tenant": client.tenant,
                "document": encode(client),
                "session_id": account.session_id if account else "",
            }
            await entry.collection("oauth_clients").insert_one(document, session=entry.session)
            if account is not None:
                await _add_account(entry, client, account)
            if secret is not None:
                await _add_secret(entry, client.id, secret)

        await self._ledger.write(work)

    async def replace(
        self, client: Client, account: ServiceAccount | None, change: Change | None
    ) -> None:
        """See the port."""

        async def work(entry: MongoEntry) -> None:
            await _set(entry, client, {"document": encode(client)})
            if account is not None:
                await _set_account(entry, client, account)
            if change is not None:
                entry.revoke(change)

        await self._ledger.write(work)

    async def find(self, client_id: str) -> Client | None:
        """See the port."""
        with store_errors():
            found = await self._database.collection("oauth_clients").find_one({"_id": client_id})
        return None if found is None else client_of(found["document"])

    async def page(self, tenant: str, *, after: str, limit: int) -> Sequence[Client]:
        """See the port."""
        which = {"tenant": tenant, "_id": {"$gt": after}}
        with store_errors():
            found = self._database.collection("oauth_clients").find(which)
            return [
                client_of(each["document"])
                async for each in found.sort("_id", ASCENDING).limit(limit)
            ]

    async def secrets(self, client_id: str, now: datetime) -> Sequence[ClientSecret]:
        """See the port."""
        with store_errors():
            found = self._database.collection("oauth_client_secrets").find(_live(client_id, now))
            return [_secret(each) async for each in found.sort("created_at", ASCENDING)]

    async def rotate(self, client: Client, secret: ClientSecret, *, old_until: datetime) -> None:
        """See the port."""

        async def work(entry: MongoEntry) -> None:
            await _set(entry, client, {})
            secrets = entry.collection("oauth_client_secrets")
            latest = await secrets.find_one(
                _live(client.id, secret.created_at),
                sort=[("created_at", DESCENDING)],
                session=entry.session,
            )
            others = {"client_id": client.id, "_id": {"$ne": latest and latest["_id"]}}
            await secrets.delete_many(others, session=entry.session)
            end = {"$set": {"expires_at": micros(old_until)}}
            await secrets.update_many({"client_id": client.id}, end, session=entry.session)
            await _add_secret(entry, client.id, secret)

        await self._ledger.write(work)

    async def delete(self, client: Client, ending: Ending) -> Sequence[str]:
        """See the port."""

        async def work(entry: MongoEntry) -> Sequence[str]:
            which = {"client_id": client.id}
            await entry.collection("oauth_clients").delete_one(
                {"_id": client.id}, session=entry.session
            )
            for name in _OF_A_CLIENT:
                await entry.collection(name).delete_many(which, session=entry.session)
            await entry.collection("users").update_one(
                {"_id": client.service_account, "kind": SERVICE},
                {"$set": {"roles": []}},
                session=entry.session,
            )
            return await end_sessions(entry, which, ending)

        return await self._ledger.write(work)

    async def session_of(self, client: Client) -> str:
        """See the port."""
        with store_errors():
            found = await self._database.collection("oauth_clients").find_one({"_id": client.id})
        return "" if found is None else str(found["session_id"])

    async def renew_session(self, client: Client, session: Session, ending: Ending) -> None:
        """See the port."""

        async def work(entry: MongoEntry) -> None:
            which = {"client_id": client.id, "user_id": client.service_account}
            await end_sessions(entry, which, ending)
            await _set(entry, client, {"session_id": session.id})
            await open_session(entry, session, FOR_EVER)

        await self._ledger.write(work)

    async def first_use(self, client_id: str, assertion: bytes, expires_at: datetime) -> bool:
        """See the port."""
        values = {"client_id": client_id, "digest": assertion, "expires_at": micros(expires_at)}

        async def work(entry: MongoEntry) -> bool:
            done = await entry.collection("oauth_assertions").update_one(
                {"_id": key_of(client_id, assertion.hex())},
                {"$setOnInsert": values},
                upsert=True,
                session=entry.session,
            )
            return done.upserted_id is not None

        return await self._ledger.write(work)

    async def purge(self, now: datetime) -> None:
        """See `Perishables.purge`."""
        await purge(self._database, ("oauth_assertions", "oauth_client_secrets"), now)


async def _set(entry: MongoEntry, client: Client, values: Document) -> None:
    """Change the client, or only count that something of it changed.

    Raises:
        ClientNotFound: it is gone.
    """
    change: Document = {"$inc": {"turn": 1}} | ({"$set": values} if values else {})
    done = await entry.collection("oauth_clients").update_one(
        {"_id": client.id, "tenant": client.tenant}, change, session=entry.session
    )
    if done.matched_count != 1:
        raise ClientNotFound


async def _add_secret(entry: MongoEntry, client_id: str, secret: ClientSecret) -> None:
    document = {
        "_id": secret.digest,
        "client_id": client_id,
        "created_at": micros(secret.created_at),
        "expires_at": maybe_micros(secret.expires_at),
    }
    await entry.collection("oauth_client_secrets").insert_one(document, session=entry.session)


async def _add_account(entry: MongoEntry, client: Client, account: ServiceAccount) -> None:
    user = user_document(account_user(client, account), SERVICE)
    await entry.collection("users").insert_one(user, session=entry.session)
    await open_session(entry, account_session(client, account), FOR_EVER)


async def _set_account(entry: MongoEntry, client: Client, account: ServiceAccount) -> None:
    values = {
        "roles": list(account.roles),
        "name": client.name,
        "updated_at": micros(client.updated_at),
    }
    done = await entry.collection("users").update_one(
        {"_id": account.user_id, "kind": SERVICE}, {"$set": values}, session=entry.session
    )
    if done.matched_count == 0:
        await _add_account(entry, client, account)
        await _set(entry, client, {"session_id": account.session_id})


def _live(client_id: str, now: datetime) -> Document:
    ends = [{"expires_at": None}, {"expires_at": {"$gt": micros(now)}}]
    return {"client_id": client_id, "$or": ends}


def _secret(document: Document) -> ClientSecret:
    made, ends = moment(document["created_at"]), maybe_moment(document["expires_at"])
    return ClientSecret(bytes(document["_id"]), made, ends)
