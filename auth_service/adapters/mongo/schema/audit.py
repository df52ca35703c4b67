"""The audit trail: appended to, and never changed. Whoever can write to the store is found out by the chain."""

from collections.abc import Mapping
from typing import Final

from pymongo import ASCENDING, DESCENDING, IndexModel

from chassis.audit.mongo_footprints import footprints_migration
from chassis.storage.mongo_migrations import MongoMigration

_TENANT: Final = ("tenant", ASCENDING)
_NEWEST: Final = ("sequence", DESCENDING)

MIGRATIONS: Final = (
    MongoMigration(
        41,
        "audit",
        {
            "audit": (
                IndexModel([_TENANT, _NEWEST], name="in_order", unique=True),
                IndexModel("id", name="once", unique=True),
                IndexModel([_TENANT, ("at", ASCENDING)], name="by_time"),
                *(
                    IndexModel(
                        [_TENANT, (name, ASCENDING), _NEWEST],
                        name=f"by_{name}",
                        partialFilterExpression={name: {"$gt": ""}},
                    )
                    for name in ("actor", "action", "target", "address")
                ),
            ),
            # How far each chain has come; rewritten with every entry, in its transaction.
            "audit_heads": (),
            # With what each chain goes on after old entries were purged.
            "audit_anchors": (IndexModel([_TENANT, _NEWEST], name="latest"),),
        },
    ),
    footprints_migration(42),
)
BY_USER: Final[tuple[str, ...]] = ()
"""The trail stays: `erase_in_trail` takes out of it what it says about somebody."""
BY_SESSION: Final[Mapping[str, str]] = {}
