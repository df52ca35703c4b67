"""The feed of revocations."""

from collections.abc import Mapping
from typing import Final

from pymongo import IndexModel

from chassis.storage.mongo_migrations import MongoMigration

MIGRATIONS: Final = (
    MongoMigration(
        20,
        "revocation feed",
        {
            "revocation_feed": (
                IndexModel("position", name="in_order", unique=True),
                IndexModel("forget_at", name="by_end"),
            )
        },
    ),
)
BY_USER: Final[tuple[str, ...]] = ()
BY_SESSION: Final[Mapping[str, str]] = {}
