"""Roles and policies."""

from collections.abc import Mapping
from typing import Final

from pymongo import ASCENDING, DESCENDING, IndexModel

from chassis.storage.mongo_migrations import MongoMigration

_TENANT: Final = ("tenant", ASCENDING)

MIGRATIONS: Final = (
    # A tenant that never changed a role has no book, which is version 0.
    MongoMigration(
        35, "roles", {"roles": (IndexModel([_TENANT], name="of_tenant"),), "role_books": ()}
    ),
    MongoMigration(
        36,
        "policies",
        {
            "policy_versions": (
                IndexModel(
                    [_TENANT, ("name", ASCENDING), ("version", DESCENDING)],
                    name="newest",
                    unique=True,
                ),
            ),
            # Written with every version, so that changes of one tenant exclude each other.
            "policy_books": (),
        },
    ),
)
BY_USER: Final[tuple[str, ...]] = ()
BY_SESSION: Final[Mapping[str, str]] = {}
