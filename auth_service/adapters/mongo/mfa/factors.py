"""Factors and recovery codes on MongoDB.

Whatever adds or takes away factors or recovery codes holds their user (`hold_user`): how many there are decides about others.
"""

from collections.abc import Sequence
from datetime import datetime

from pymongo import ASCENDING

from auth_service.adapters.mongo.ledger import MongoEntry, MongoLedger
from auth_service.adapters.mongo.users import hold_user
from auth_service.adapters.times import maybe_micros, maybe_moment, micros, moment
from auth_service.application.ports import Change, RevocationKind
from auth_service.application.ports.mfa import FactorsChanged
from auth_service.domain.mfa.factors import Factor, FactorKind
from chassis.storage.keys import key_of
from chassis.storage.mongo import Document, store_errors

_FACTORS = "mfa_factors"
_CODES = "mfa_recovery_codes"
_COUNTS: Document = {"confirmed_at": {"$ne": None}}


class MongoFactors:
    """The port `Factors`."""

    def __init__(self, ledger: MongoLedger) -> None:
        self._ledger = ledger
        self._database = ledger.database

    async def confirmed(self, user_id: str) -> tuple[Factor, ...]:
        """See the port."""
        with store_errors():
            found = self._database.collection(_FACTORS).find({"user_id": user_id, **_COUNTS})
            ordered = found.sort("confirmed_at", ASCENDING)
            return tuple([_factor(each) async for each in ordered])

    async def pending(self, user_id: str, kind: FactorKind) -> Factor | None:
        """See the port."""
        with store_errors():
            found = await self._database.collection(_FACTORS).find_one(_pending(user_id, kind))
        return None if found is None else _factor(found)

    async def enrol(self, factor: Factor) -> None:
        """See the port.

        Raises:
            UserNotFound: whose factor it was to be is gone.
        """

        async def work(entry: MongoEntry) -> None:
            await hold_user(entry, factor.user_id)
            factors = entry.collection(_FACTORS)
            await factors.delete_many(_pending(factor.user_id, factor.kind), session=entry.session)
            await factors.insert_one(_document(factor), session=entry.session)

        await self._ledger.write(work)

    async def confirm(self, factor: Factor, change: FactorsChanged) -> bool:
        """See the port."""

        async def work(entry: MongoEntry) -> bool:
            factors = entry.collection(_FACTORS)
            pending = {"_id": factor.id, "user_id": factor.user_id, "confirmed_at": None}
            if await factors.find_one(pending, session=entry.session) is None:
                return False
            # First the old one, since there may be one only.
            replaced = {"user_id": factor.user_id, "kind": factor.kind.value, **_COUNTS}
            await factors.delete_many(replaced, session=entry.session)
            at = micros(change.at)
            served = {"confirmed_at": at, "last_used_at": at, "last_step": factor.last_step}
            await factors.update_one(pending, {"$set": served}, session=entry.session)
            await _tell(entry, change)
            return True

        return await self._ledger.write(work)

    async def remove(self, factor_id: str, change: FactorsChanged) -> bool:
        """See the port."""
        which = {"_id": factor_id, "user_id": change.user_id, "tenant": change.tenant, **_COUNTS}

        async def work(entry: MongoEntry) -> bool:
            factors = entry.collection(_FACTORS)
            removed = await factors.delete_one(which, session=entry.session)
            if removed.deleted_count == 0:
                return False
            left = {"user_id": change.user_id, **_COUNTS}
            if await factors.find_one(left, session=entry.session) is None:
                await _void(entry, change.user_id)
            await _tell(entry, change)
            return True

        return await self._ledger.write(work)

    async def remove_all(self, change: FactorsChanged) -> int:
        """See the port."""
        which = {"user_id": change.user_id, "tenant": change.tenant}

        async def work(entry: MongoEntry) -> int:
            factors = entry.collection(_FACTORS)
            counted = await factors.delete_many({**which, **_COUNTS}, session=entry.session)
            await factors.delete_many(which, session=entry.session)
            await _void(entry, change.user_id)
            await _tell(entry, change)
            return counted.deleted_count

        return await self._ledger.write(work)

    async def spend_step(self, factor_id: str, step: int, at: datetime) -> bool:
        """See the port."""
        unspent = {"_id": factor_id, "last_step": {"$lt": step}, **_COUNTS}
        spent = {"last_step": step, "last_used_at": micros(at)}
        return await self._set(unspent, spent)

    async def used(self, factor_id: str, at: datetime) -> None:
        """See the port."""
        _ = await self._set({"_id": factor_id}, {"last_used_at": micros(at)})

    async def _set(self, which: Document, values: Document) -> bool:
        async def work(entry: MongoEntry) -> bool:
            done = await entry.collection(_FACTORS).update_one(
                which, {"$set": values}, session=entry.session
            )
            return done.matched_count == 1

        return await self._ledger.write(work)


class MongoRecoveryCodes:
    """The port `RecoveryCodes`."""

    def __init__(self, ledger: MongoLedger) -> None:
        self._ledger = ledger
        self._database = ledger.database

    async def replace(self, user_id: str, digests: Sequence[bytes], at: datetime) -> None:
        """See the port.

        Raises:
            UserNotFound: whose codes they were to be is gone.
        """
        codes = [_code(user_id, digest, at) for digest in digests]

        async def work(entry: MongoEntry) -> None:
            await hold_user(entry, user_id)
            await _void(entry, user_id)
            if codes:
                await entry.collection(_CODES).insert_many(codes, session=entry.session)

        await self._ledger.write(work)

    async def spend(self, user_id: str, digest: bytes, at: datetime) -> bool:
        """See the port."""
        unused = {"_id": _key(user_id, digest), "used_at": None}

        async def work(entry: MongoEntry) -> bool:
            done = await entry.collection(_CODES).update_one(
                unused, {"$set": {"used_at": micros(at)}}, session=entry.session
            )
            return done.matched_count == 1

        return await self._ledger.write(work)

    async def left(self, user_id: str) -> int:
        """See the port."""
        unused = {"user_id": user_id, "used_at": None}
        with store_errors():
            return await self._database.collection(_CODES).count_documents(unused)


async def _void(entry: MongoEntry, user_id: str) -> None:
    await entry.collection(_CODES).delete_many({"user_id": user_id}, session=entry.session)


async def _tell(entry: MongoEntry, change: FactorsChanged) -> None:
    """Devices were remembered under the old factors; what is cached of the user is stale."""
    await hold_user(entry, change.user_id)
    await entry.collection("mfa_devices").delete_many(
        {"user_id": change.user_id}, session=entry.session
    )
    entry.revoke(Change(RevocationKind.PRINCIPAL, change.user_id, change.forget_at))
    for event in change.events:
        entry.announce(event)
    for mail in change.mails:
        entry.post(mail)


def _pending(user_id: str, kind: FactorKind) -> Document:
    return {"user_id": user_id, "kind": kind.value, "confirmed_at": None}


def _document(factor: Factor) -> Document:
    return {
        "_id": factor.id,
        "user_id": factor.user_id,
        "tenant": factor.tenant,
        "kind": factor.kind.value,
        "target": factor.target,
        "created_at": micros(factor.created_at),
        "confirmed_at": maybe_micros(factor.confirmed_at),
        "last_used_at": maybe_micros(factor.last_used_at),
        "sealed_seed": factor.sealed_seed,
        "last_step": factor.last_step,
    }


def _factor(document: Document) -> Factor:
    return Factor(
        id=document["_id"],
        user_id=document["user_id"],
        tenant=document["tenant"],
        kind=FactorKind(document["kind"]),
        target=document["target"],
        created_at=moment(document["created_at"]),
        confirmed_at=maybe_moment(document["confirmed_at"]),
        last_used_at=maybe_moment(document["last_used_at"]),
        sealed_seed=bytes(document["sealed_seed"]),
        last_step=document["last_step"],
    )


def _key(user_id: str, digest: bytes) -> str:
    return key_of(user_id, digest.hex())


def _code(user_id: str, digest: bytes, at: datetime) -> Document:
    return {
        "_id": _key(user_id, digest),
        "user_id": user_id,
        "digest": digest,
        "created_at": micros(at),
        "used_at": None,
    }
