"""Erasing a person from the store of identity."""

from auth_service.adapters.mongo.api_keys import drop_keys
from auth_service.adapters.mongo.audit import erase_in_trail
from auth_service.adapters.mongo.ledger import MongoEntry
from auth_service.adapters.mongo.schema import BY_SESSION, BY_USER


async def erase_documents(entry: MongoEntry, tenant: str, user_id: str) -> None:
    """Delete the user, and what belongs to them in every collection that a capability has named as such.

    The audit trail stays, since it is a chain: it knows people by their ids, and what else it says about them is taken out of it.
    """
    await erase_in_trail(entry, tenant, user_id)
    await drop_keys(entry, user_id)
    sessions = entry.collection("sessions").find(
        {"user_id": user_id}, {"_id": 1}, session=entry.session
    )
    ids = [each["_id"] async for each in sessions]
    for name, member in BY_SESSION.items():
        await entry.collection(name).delete_many({member: {"$in": ids}}, session=entry.session)
    for name in BY_USER:
        await entry.collection(name).delete_many({"user_id": user_id}, session=entry.session)
    await entry.collection("users").delete_one({"_id": user_id}, session=entry.session)
