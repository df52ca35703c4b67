"""The sessions of a user, together."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from pymongo import DESCENDING, UpdateOne

from auth_service.adapters.mongo.ledger import MongoEntry, MongoLedger
from auth_service.adapters.mongo.paging import beyond
from auth_service.adapters.mongo.refresh_tokens import SESSIONS
from auth_service.adapters.mongo.sessions import end_session
from auth_service.adapters.times import micros, moment
from auth_service.application.ports.accounts import Ending, PageKey, SessionRecord
from auth_service.domain.events import SessionRevoked
from chassis.storage.mongo import Document, store_errors


class MongoSessionList:
    """The port `SessionList`."""

    def __init__(self, ledger: MongoLedger) -> None:
        self._ledger = ledger
        self._sessions = ledger.database.collection(SESSIONS)

    async def page(
        self, tenant: str, user_id: str, now: datetime, after: PageKey | None, limit: int
    ) -> Sequence[SessionRecord]:
        """See the port."""
        which = _living(tenant, user_id, now) | beyond(after)
        newest = [("created_at", DESCENDING), ("_id", DESCENDING)]
        with store_errors():
            found = self._sessions.find(which).sort(newest).limit(limit)
            return [_record(each) async for each in found]

    async def end(self, tenant: str, user_id: str, ending: Ending) -> Sequence[str]:
        """See the port."""
        return await self._ledger.write(lambda entry: end_sessions(entry, tenant, user_id, ending))

    async def seen(self, sightings: Mapping[str, datetime]) -> None:
        """See the port."""
        if sightings:
            writes = [_seen(session, micros(at)) for session, at in sightings.items()]
            with store_errors():
                await self._sessions.bulk_write(writes, ordered=False)


async def end_sessions(
    entry: MongoEntry, tenant: str, user_id: str, ending: Ending
) -> Sequence[str]:
    """End every live session of the user but the spared one; their ids."""
    which = _living(tenant, user_id, ending.at) | {"_id": {"$ne": ending.spare}}
    found = entry.collection(SESSIONS).find(which, {"_id": 1}, session=entry.session).sort("_id")
    ended: list[str] = [each["_id"] async for each in found]
    for number, session_id in enumerate(ended):
        event = SessionRevoked(
            id=f"{ending.id}-{number}",
            session_id=session_id,
            user_id=user_id,
            tenant=tenant,
            reason=ending.reason,
            at=ending.at,
        )
        await end_session(entry, event, ending.forget_at)
    return ended


def _living(tenant: str, user_id: str, now: datetime) -> Document:
    return {
        "tenant": tenant,
        "user_id": user_id,
        "revoked_at": None,
        "expires_at": {"$gt": micros(now)},
    }


def _seen(session_id: str, at: int) -> UpdateOne:
    """Moves the last sighting forwards; before the first one, a session was seen when it began."""
    earlier = [
        {"last_seen_at": {"$lt": at}},
        {"last_seen_at": None, "created_at": {"$lt": at}},
    ]
    return UpdateOne({"_id": session_id, "$or": earlier}, {"$set": {"last_seen_at": at}})


def _record(document: Document) -> SessionRecord:
    seen_at = document["last_seen_at"]
    return SessionRecord(
        id=document["_id"],
        address=document["address"],
        network=document["network"],
        user_agent=document["user_agent"],
        created_at=moment(document["created_at"]),
        last_seen_at=moment(seen_at if seen_at is not None else document["created_at"]),
        expires_at=moment(document["expires_at"]),
        client_id=document["client_id"],
    )
