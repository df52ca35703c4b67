"""Numbers that only grow, each given out once."""

from collections.abc import Mapping

from pymongo import ReturnDocument

from chassis.storage.mongo import Collection, Document, Session


async def counted_up(
    collection: Collection, key: str, steps: Mapping[str, int], session: Session | None = None
) -> Document:
    """The counters of *key* after so many steps of each; those that are not there begin at 0."""
    while True:
        found: Document | None = await collection.find_one_and_update(
            {"_id": key},
            {"$inc": dict(steps)},
            upsert=True,
            return_document=ReturnDocument.AFTER,
            session=session,
        )
        # None is a lost race for being the first: then the other one's are there now.
        if found is not None:
            return found
