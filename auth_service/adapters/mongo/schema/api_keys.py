"""API keys, their secrets, and how they are used."""

from collections.abc import Mapping
from typing import Final

from pymongo import ASCENDING, DESCENDING, IndexModel

from chassis.storage.mongo_migrations import MongoMigration

MIGRATIONS: Final = (
    MongoMigration(
        21,
        "API keys",
        {
            "api_keys": (
                IndexModel([("owner", ASCENDING), ("_id", DESCENDING)], name="by_owner"),
                IndexModel([("tenant", ASCENDING), ("_id", DESCENDING)], name="by_tenant"),
            ),
            "api_key_secrets": (
                IndexModel(
                    [("key_id", ASCENDING), ("generation", DESCENDING)], name="by_key", unique=True
                ),
                IndexModel("ends_at", name="by_end"),
            ),
            "api_key_usage": (),
            # The last report of each gateway: one whose answer was lost comes again, and counts once.
            "api_key_reporters": (IndexModel("reported_at", name="by_time"),),
        },
    ),
)
BY_USER: Final[tuple[str, ...]] = ()
"""Keys are their `owner`'s: whoever erases somebody drops them with `drop_keys`."""
BY_SESSION: Final[Mapping[str, str]] = {}
