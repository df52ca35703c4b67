"""Accounts on MongoDB: every change in one transaction with its mails, events and ended sessions."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from pymongo import DESCENDING
from pymongo.errors import DuplicateKeyError

from auth_service.adapters.mongo.administrators import keep_an_administrator
from auth_service.adapters.mongo.documents import PERSON, user_from
from auth_service.adapters.mongo.erasing import erase_documents
from auth_service.adapters.mongo.ledger import MongoEntry, MongoLedger
from auth_service.adapters.mongo.login_places import PLACES
from auth_service.adapters.mongo.paging import beyond
from auth_service.adapters.mongo.session_list import end_sessions
from auth_service.adapters.mongo.users import hold_user
from auth_service.adapters.places import PLACES_KEPT
from auth_service.adapters.times import maybe_micros, micros, moment
from auth_service.application.ports import Change, RevocationKind
from auth_service.application.ports.accounts import (
    AccountChange,
    Ending,
    Erasure,
    PageKey,
    UserFilter,
)
from auth_service.application.ports.mail import OutgoingMail
from auth_service.domain.account import AccountToken, Purpose
from auth_service.domain.errors import AccountChanged, AccountTokenRefused, EmailTaken, UserNotFound
from auth_service.domain.permissions import Role
from auth_service.domain.user import EmailAddress, User
from chassis.storage.mongo import Document, store_errors

TOKENS: Final = "account_tokens"
_HIGHEST: Final = "\U0010ffff"


class MongoAccounts:
    """The port `Accounts`."""

    def __init__(self, ledger: MongoLedger) -> None:
        self._ledger = ledger
        self._users = ledger.database.collection("users")
        self._tokens = ledger.database.collection(TOKENS)

    async def keep_token(self, token: AccountToken, mails: Sequence[OutgoingMail]) -> None:
        """See the port."""

        async def work(entry: MongoEntry) -> None:
            await _hold(entry, token.user_id)
            await _drop_tokens(entry, token.user_id, (token.purpose,))
            await self._tokens.insert_one(_token_document(token), session=entry.session)
            for mail in mails:
                entry.post(mail)

        await self._ledger.write(work)

    async def find_token(
        self, digest: bytes, purposes: Sequence[Purpose], now: datetime
    ) -> AccountToken | None:
        """See the port."""
        with store_errors():
            found = await self._tokens.find_one(_good(digest, purposes, micros(now)))
        return None if found is None else _token_from(found)

    async def apply(self, change: AccountChange) -> Sequence[str]:
        """See the port."""
        try:
            return await self._ledger.write(lambda entry: _apply(entry, change))
        except DuplicateKeyError as exc:
            raise EmailTaken from exc

    async def erase(self, erasure: Erasure) -> Sequence[str]:
        """See the port."""
        return await self._ledger.write(lambda entry: _erase(entry, erasure))

    async def page(
        self, tenant: str, wanted: UserFilter, after: PageKey | None, limit: int
    ) -> Sequence[User]:
        """See the port."""
        newest = [("created_at", DESCENDING), ("_id", DESCENDING)]
        with store_errors():
            found = self._users.find(_wanted(tenant, wanted) | beyond(after)).sort(newest)
            return [user_from(each) async for each in found.limit(limit)]

    async def purge(self, now: datetime) -> None:
        """See the port."""
        long_ago = micros(now - PLACES_KEPT)
        with store_errors():
            await self._tokens.delete_many({"expires_at": {"$lte": micros(now)}})
            places = self._ledger.database.collection(PLACES)
            await places.delete_many({"last_at": {"$lte": long_ago}})


async def _hold(entry: MongoEntry, user_id: str) -> None:
    """Of two links that are asked for at the same moment, the later one is good.

    A link for nobody takes the same steps, so that nobody learns from the time or the answer whose address is known.
    """
    try:
        await hold_user(entry, user_id)
    except UserNotFound:
        if user_id:
            raise


async def _apply(entry: MongoEntry, change: AccountChange) -> Sequence[str]:
    before, after = change.before, change.after
    if change.spend is not None:
        await _spend(entry, change.spend, before.id, after.updated_at)
    if before.active and not after.active:
        await _keep_an_administrator(entry, before)
    await _update(entry, before, after)
    await _drop_tokens(entry, before.id, change.obsolete)
    ended = () if change.ending is None else await _end(entry, before, change.ending)
    for event in change.events:
        entry.announce(event)
    for mail in change.mails:
        entry.post(mail)
    return ended


async def _spend(
    entry: MongoEntry, spend: tuple[bytes, Sequence[Purpose]], user_id: str, now: datetime
) -> None:
    digest, purposes = spend
    which = _good(digest, purposes, micros(now)) | {"user_id": user_id}
    spent = await entry.collection(TOKENS).update_one(
        which, {"$set": {"used_at": micros(now)}}, session=entry.session
    )
    if spent.matched_count != 1:
        raise AccountTokenRefused


async def _update(entry: MongoEntry, before: User, after: User) -> None:
    which = {
        "_id": before.id,
        "tenant": before.tenant,
        "password_hash": before.password_hash,
        "email_key": before.email.key,
        "disabled_at": maybe_micros(before.disabled_at),
    }
    values = {
        "email": after.email.text,
        "email_key": after.email.key,
        "name": after.name,
        "password_hash": after.password_hash,
        "email_verified_at": maybe_micros(after.email_verified_at),
        "disabled_at": maybe_micros(after.disabled_at),
        "updated_at": micros(after.updated_at),
    }
    # The turn lets the document change even when no value does: a session that is opened meanwhile begins again.
    changed = await entry.collection("users").update_one(
        which, {"$set": values, "$inc": {"turn": 1}}, session=entry.session
    )
    if changed.matched_count != 1:
        raise AccountChanged
    if before.password_hash != after.password_hash:
        # They are of whoever knew the old password.
        for name in ("mfa_devices", "mfa_challenges"):
            theirs = {"user_id": before.id}
            await entry.collection(name).delete_many(theirs, session=entry.session)


async def _erase(entry: MongoEntry, erasure: Erasure) -> Sequence[str]:
    user = erasure.user
    which = {"_id": user.id, "tenant": user.tenant}
    if await entry.collection("users").find_one(which, session=entry.session) is None:
        raise UserNotFound
    await _keep_an_administrator(entry, user)
    ended = await _end(entry, user, erasure.ending)
    await erase_documents(entry, user.tenant, user.id)
    for event in erasure.events:
        entry.announce(event)
    for mail in erasure.mails:
        entry.post(mail)
    return ended


async def _end(entry: MongoEntry, user: User, ending: Ending) -> Sequence[str]:
    ended = await end_sessions(entry, user.tenant, user.id, ending)
    # Whatever else was cached for the user, such as what their API keys may do, is stale, too.
    entry.revoke(Change(RevocationKind.PRINCIPAL, user.id, ending.forget_at))
    return ended


async def _keep_an_administrator(entry: MongoEntry, user: User) -> None:
    # As they are now: their roles may have changed since they were read.
    leaving = {"_id": user.id, "roles": Role.ADMIN.value, "disabled_at": None}
    found = await entry.collection("users").find_one(leaving, {"_id": 1}, session=entry.session)
    if found is not None:
        await keep_an_administrator(entry, user.tenant, user.id)


async def _drop_tokens(entry: MongoEntry, user_id: str, purposes: Sequence[Purpose]) -> None:
    which = {"user_id": user_id, "purpose": {"$in": [each.value for each in purposes]}}
    await entry.collection(TOKENS).delete_many(which, session=entry.session)


def _good(digest: bytes, purposes: Sequence[Purpose], now: int) -> Document:
    return {
        "_id": digest,
        "used_at": None,
        "expires_at": {"$gt": now},
        "purpose": {"$in": [each.value for each in purposes]},
    }


def _wanted(tenant: str, wanted: UserFilter) -> Document:
    which: Document = {"tenant": tenant, "kind": PERSON}
    if wanted.email:
        which["email_key"] = {"$gte": wanted.email, "$lt": wanted.email + _HIGHEST}
    if wanted.role is not None:
        which["roles"] = wanted.role
    if wanted.active is not None:
        which["disabled_at"] = None if wanted.active else {"$ne": None}
    return which


def _token_document(token: AccountToken) -> Document:
    return {
        "_id": token.digest,
        "purpose": token.purpose.value,
        "tenant": token.tenant,
        "user_id": token.user_id,
        "email": token.email.text,
        "email_key": token.email.key,
        "created_at": micros(token.created_at),
        "expires_at": micros(token.expires_at),
        "used_at": None,
    }


def _token_from(document: Document) -> AccountToken:
    return AccountToken(
        digest=bytes(document["_id"]),
        purpose=Purpose(document["purpose"]),
        tenant=document["tenant"],
        user_id=document["user_id"],
        email=EmailAddress(document["email"], document["email_key"]),
        created_at=moment(document["created_at"]),
        expires_at=moment(document["expires_at"]),
    )
