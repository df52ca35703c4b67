"""Links that were mailed, and known places."""

from collections.abc import Mapping
from typing import Final

from pymongo import ASCENDING, IndexModel

from chassis.storage.mongo_migrations import MongoMigration

_USER: Final = ("user_id", ASCENDING)

MIGRATIONS: Final = (
    MongoMigration(
        31,
        "accounts",
        {
            "account_tokens": (
                IndexModel([_USER, ("purpose", ASCENDING)], name="by_user"),
                IndexModel("expires_at", name="by_end"),
            ),
            "login_places": (
                IndexModel([_USER, ("kind", ASCENDING), ("last_at", ASCENDING)], name="by_user"),
                IndexModel("last_at", name="by_time"),
            ),
        },
    ),
)
BY_USER: Final = ("account_tokens", "login_places")
BY_SESSION: Final[Mapping[str, str]] = {}
