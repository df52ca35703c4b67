"""A store's own key in MongoDB: the shape of `chassis.crypto.data_keys`, for processes that start together."""

from typing import Final

from chassis.crypto.data_keys import unwrapped, wrapped
from chassis.crypto.key_file import WrappingKeys
from chassis.crypto.sealing import new_key
from chassis.storage.mongo import Document, MongoDatabase, store_errors

STORE_KEYS: Final = "store_keys"
"""The collection that it is kept in."""


async def own_key(database: MongoDatabase, name: str, wrapping: WrappingKeys) -> bytes:
    """The store's key called *name*, made now when there is none; the first of several processes makes it for all.

    Raises:
        CannotStart: it cannot be unwrapped with the keys of the operator.
        StoreUnavailable: the database does not answer.
    """
    keys = database.collection(STORE_KEYS)
    with store_errors():
        fresh = {"$setOnInsert": _document(name, new_key(), wrapping)}
        await keys.update_one({"_id": name}, fresh, upsert=True)
        found = await keys.find_one({"_id": name}) or {}
    wrapped_by, sealed = found["wrapped_by"], bytes(found["sealed"])
    key = unwrapped(name, wrapped_by, sealed, wrapping)
    if wrapped_by != wrapping.current:
        # Whoever comes second finds another text, and leaves it as the first one wrote it.
        change = {"$set": _document(name, key, wrapping)}
        with store_errors():
            await keys.update_one({"_id": name, "sealed": sealed}, change)
    return key


def _document(name: str, key: bytes, wrapping: WrappingKeys) -> Document:
    return {"wrapped_by": wrapping.current, "sealed": wrapped(name, key, wrapping)}
