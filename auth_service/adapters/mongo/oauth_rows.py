"""What the stores of OAuth have in common: what is opened, and sessions that end together."""

from collections.abc import Sequence
from datetime import datetime

from auth_service.adapters.mongo.ledger import MongoEntry
from auth_service.adapters.mongo.sessions import open_session
from auth_service.adapters.oauth_documents import encode
from auth_service.adapters.oauth_rules import session_ended
from auth_service.adapters.times import micros
from auth_service.application.ports import Change, RevocationKind
from auth_service.application.ports.oauth import Ending, Opened
from chassis.storage.mongo import Document, MongoDatabase, store_errors


async def open_granted(entry: MongoEntry, opened: Opened) -> None:
    """Keep the session of a grant, and what was granted."""
    await open_session(entry, opened.session, opened.expires_at, opened.refresh)
    granted = {"_id": opened.session.id, "document": encode(opened.granted)}
    await entry.collection("oauth_grants").insert_one(granted, session=entry.session)


async def end_sessions(entry: MongoEntry, which: Document, ending: Ending) -> Sequence[str]:
    """End every live session among *which*; their ids."""
    sessions = entry.collection("sessions")
    live = sessions.find({**which, "revoked_at": None}, session=entry.session)
    found = await live.to_list()
    ids: list[str] = [each["_id"] for each in found]
    if ids:
        change = {"revoked_at": micros(ending.at), "revoked_because": ending.reason.value}
        await sessions.update_many({"_id": {"$in": ids}}, {"$set": change}, session=entry.session)
    for number, each in enumerate(found):
        _tell(entry, each, ending, number)
    return ids


def _tell(entry: MongoEntry, session: Document, ending: Ending, number: int) -> None:
    event = session_ended(
        ending,
        number,
        session_id=session["_id"],
        user_id=session["user_id"],
        tenant=session["tenant"],
    )
    entry.revoke(Change(RevocationKind.SESSION, event.session_id, ending.forget_at))
    entry.announce(event)


async def purge(database: MongoDatabase, names: Sequence[str], until: datetime) -> None:
    """Drop what has expired at *until* from the collections called *names*."""
    with store_errors():
        for name in names:
            await database.collection(name).delete_many({"expires_at": {"$lte": micros(until)}})
