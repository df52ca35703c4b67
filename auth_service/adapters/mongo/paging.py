"""Pages of what is listed newest first."""

from auth_service.adapters.times import micros
from auth_service.application.ports.accounts import PageKey
from chassis.storage.mongo import Document


def beyond(key: PageKey | None) -> Document:
    """The condition for what comes behind *key*, by `created_at` and `_id`."""
    if key is None:
        return {}
    at = micros(key.at)
    return {"$or": [{"created_at": {"$lt": at}}, {"created_at": at, "_id": {"$lt": key.id}}]}
