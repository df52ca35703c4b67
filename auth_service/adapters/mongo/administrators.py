"""Who is left to administer a tenant."""

from typing import Final

from auth_service.adapters.mongo.documents import PERSON
from auth_service.adapters.mongo.ledger import MongoEntry
from auth_service.domain.errors import LastAdministrator
from auth_service.domain.permissions import Role

USERS: Final = "users"
ROLE_BOOKS: Final = "role_books"


async def keep_an_administrator(entry: MongoEntry, tenant: str, leaving: str) -> None:
    """Make sure that somebody other than *leaving* is an active administrator of *tenant*.

    Transactions that ask this about one tenant meet in its role book, so none of them counts on somebody whom another one
    is taking away.

    Raises:
        LastAdministrator: nobody else is.
    """
    turned = {"$inc": {"turn": 1}, "$setOnInsert": {"version": 0}}
    await entry.collection(ROLE_BOOKS).update_one(
        {"_id": tenant}, turned, upsert=True, session=entry.session
    )
    others = {
        "tenant": tenant,
        "roles": Role.ADMIN.value,
        "kind": PERSON,
        "disabled_at": None,
        "_id": {"$ne": leaving},
    }
    found = await entry.collection(USERS).find_one(others, {"_id": 1}, session=entry.session)
    if found is None:
        raise LastAdministrator
