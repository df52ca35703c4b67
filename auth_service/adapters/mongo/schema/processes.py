"""Processes that share the store, and the store's own key."""

from collections.abc import Mapping
from typing import Final

from pymongo import IndexModel

from chassis.storage.mongo_migrations import MongoMigration

MIGRATIONS: Final = (
    MongoMigration(
        1,
        "processes",
        {
            "store_keys": (),
            "counters": (),
            "leases": (),
            # Kept for long after their last sign of life.
            "nodes": (IndexModel("at", name="silent", expireAfterSeconds=7 * 86_400),),
        },
    ),
)
BY_USER: Final[tuple[str, ...]] = ()
BY_SESSION: Final[Mapping[str, str]] = {}
