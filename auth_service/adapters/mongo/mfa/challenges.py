"""Challenges, the codes sent for them, and what is counted, on MongoDB."""

from collections.abc import Sequence
from datetime import datetime

from pymongo import ReturnDocument

from auth_service.adapters.mongo.ledger import MongoEntry, MongoLedger
from auth_service.adapters.times import micros, moment
from auth_service.application.ports.mfa import Burnt, Gone, Tried, Try
from auth_service.domain.mfa.challenges import MAX_TRIES, Challenge, Quota
from auth_service.domain.mfa.codes import SentCode
from auth_service.domain.mfa.factors import Method
from chassis.storage.keys import key_of
from chassis.storage.mongo import Collection, Document, store_errors

_CHALLENGES = "mfa_challenges"
_SENT = "mfa_sent_codes"
_TALLIES = "mfa_tallies"


class MongoChallenges:
    """The port `Challenges`."""

    def __init__(self, ledger: MongoLedger) -> None:
        self._ledger = ledger
        self._database = ledger.database

    async def add(self, challenge: Challenge) -> None:
        """See the port."""
        document = {
            "_id": challenge.id,
            "user_id": challenge.user_id,
            "tenant": challenge.tenant,
            "created_at": micros(challenge.created_at),
            "expires_at": micros(challenge.expires_at),
            "tries": 0,
            "met_at": None,
        }

        async def work(entry: MongoEntry) -> None:
            await entry.collection(_CHALLENGES).insert_one(document, session=entry.session)

        await self._ledger.write(work)

    async def attempt(self, challenge_id: str, now: datetime) -> Try:
        """See the port."""
        open_ = _open(challenge_id, now)

        async def work(entry: MongoEntry) -> Try:
            challenges = entry.collection(_CHALLENGES)
            tried: Document | None = await challenges.find_one_and_update(
                {**open_, "tries": {"$lt": MAX_TRIES}},
                {"$inc": {"tries": 1}},
                return_document=ReturnDocument.AFTER,
                session=entry.session,
            )
            if tried is not None:
                return Tried(_challenge(tried))
            still = await challenges.find_one(open_, session=entry.session)
            return Gone() if still is None else Burnt()

        return await self._ledger.write(work)

    async def find(self, challenge_id: str, now: datetime) -> Challenge | None:
        """See the port."""
        which = {**_open(challenge_id, now), "tries": {"$lt": MAX_TRIES}}
        with store_errors():
            found = await self._database.collection(_CHALLENGES).find_one(which)
        return None if found is None else _challenge(found)

    async def finish(self, challenge_id: str, now: datetime) -> bool:
        """See the port."""

        async def work(entry: MongoEntry) -> bool:
            done = await entry.collection(_CHALLENGES).update_one(
                _open(challenge_id, now), {"$set": {"met_at": micros(now)}}, session=entry.session
            )
            return done.matched_count == 1

        return await self._ledger.write(work)

    async def purge(self, now: datetime) -> None:
        """Drop what is over: challenges, codes and counters."""
        ends = {_CHALLENGES: "expires_at", _SENT: "expires_at", _TALLIES: "ends_at"}
        with store_errors():
            for name, end in ends.items():
                await self._database.collection(name).delete_many({end: {"$lte": micros(now)}})


class MongoSentCodes:
    """The port `SentCodes`."""

    def __init__(self, ledger: MongoLedger) -> None:
        self._ledger = ledger
        self._database = ledger.database

    async def put(self, code: SentCode) -> None:
        """See the port."""
        document = {
            "subject": code.subject,
            "method": code.method.value,
            "user_id": code.user_id,
            "tag": code.tag,
            "expires_at": micros(code.expires_at),
            "used_at": None,
        }
        key = key_of(code.subject, code.method.value)

        async def work(entry: MongoEntry) -> None:
            await entry.collection(_SENT).replace_one(
                {"_id": key}, document, upsert=True, session=entry.session
            )

        await self._ledger.write(work)

    async def find(self, subject: str, method: Method, now: datetime) -> SentCode | None:
        """See the port."""
        which = {"_id": key_of(subject, method.value), **_unspent(now)}
        with store_errors():
            found = await self._database.collection(_SENT).find_one(which)
        return None if found is None else _sent(found)

    async def spend(self, subject: str, tag: bytes, now: datetime) -> bool:
        """See the port."""
        which = {"subject": subject, "tag": tag, **_unspent(now)}

        async def work(entry: MongoEntry) -> bool:
            done = await entry.collection(_SENT).update_many(
                which, {"$set": {"used_at": micros(now)}}, session=entry.session
            )
            return done.matched_count == 1

        return await self._ledger.write(work)


class MongoTallies:
    """The port `Tallies`: windows that begin with the first thing taken."""

    def __init__(self, ledger: MongoLedger) -> None:
        self._ledger = ledger

    async def take(self, quotas: Sequence[Quota], now: datetime) -> float | None:
        """See the port."""

        async def work(entry: MongoEntry) -> float | None:
            tallies = entry.collection(_TALLIES)
            keys = {"_id": {"$in": [quota.key for quota in quotas]}}
            found = tallies.find({**keys, "ends_at": {"$gt": micros(now)}}, session=entry.session)
            open_ = {each["_id"]: each async for each in found}
            pauses = [pause for quota in quotas if (pause := _pause(quota, open_, now))]
            if pauses:
                return max(pauses)
            # Every tally that was looked at is written: who else takes of one begins again.
            for quota in quotas:
                await _take(tallies, entry, quota, now)
            return None

        return await self._ledger.write(work)

    async def clear(self, key: str) -> None:
        """See the port."""

        async def work(entry: MongoEntry) -> None:
            await entry.collection(_TALLIES).delete_one({"_id": key}, session=entry.session)

        await self._ledger.write(work)


def _open(challenge_id: str, now: datetime) -> Document:
    return {"_id": challenge_id, "met_at": None, "expires_at": {"$gt": micros(now)}}


def _unspent(now: datetime) -> Document:
    return {"used_at": None, "expires_at": {"$gt": micros(now)}}


def _pause(quota: Quota, tallies: dict[str, Document], now: datetime) -> float | None:
    """Seconds until *quota* has room again; None when it has."""
    tally = tallies.get(quota.key)
    if tally is None or tally["taken"] < quota.most:
        return None
    return (moment(tally["ends_at"]) - now).total_seconds()


async def _take(tallies: Collection, entry: MongoEntry, quota: Quota, now: datetime) -> None:
    running = {"_id": quota.key, "ends_at": {"$gt": micros(now)}}
    taken = await tallies.update_one(running, {"$inc": {"taken": 1}}, session=entry.session)
    if taken.matched_count == 0:
        first = {"taken": 1, "ends_at": micros(now + quota.window)}
        await tallies.replace_one({"_id": quota.key}, first, upsert=True, session=entry.session)


def _challenge(document: Document) -> Challenge:
    return Challenge(
        document["_id"],
        document["user_id"],
        document["tenant"],
        moment(document["created_at"]),
        moment(document["expires_at"]),
    )


def _sent(document: Document) -> SentCode:
    return SentCode(
        document["subject"],
        Method(document["method"]),
        document["user_id"],
        bytes(document["tag"]),
        moment(document["expires_at"]),
    )
