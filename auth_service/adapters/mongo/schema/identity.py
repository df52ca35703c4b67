"""Users, sessions, signing keys and the outbox."""

from typing import Final

from pymongo import ASCENDING, DESCENDING, IndexModel

from chassis.storage.mongo_migrations import MongoMigration

_TENANT: Final = ("tenant", ASCENDING)
_NEWEST: Final = (("created_at", DESCENDING), ("_id", DESCENDING))

MIGRATIONS: Final = (
    MongoMigration(
        2,
        "identity",
        {
            "users": (
                IndexModel([_TENANT, ("email_key", ASCENDING)], name="by_email", unique=True),
                IndexModel([_TENANT, *_NEWEST], name="by_creation"),
                IndexModel([_TENANT, ("roles", ASCENDING)], name="by_role"),
            ),
            "sessions": (
                IndexModel([("user_id", ASCENDING), *_NEWEST], name="by_user"),
                IndexModel("expires_at", name="by_end"),
                IndexModel(
                    [("client_id", ASCENDING), ("user_id", ASCENDING)],
                    name="by_client",
                    partialFilterExpression={"client_id": {"$gt": ""}},
                ),
                IndexModel(
                    "parent_id",
                    name="by_parent",
                    partialFilterExpression={"parent_id": {"$gt": ""}},
                ),
            ),
            # Spent tokens stay until they expire: without them a thief would look like a stranger.
            "refresh_tokens": (
                IndexModel(
                    [("session_id", ASCENDING), ("generation", ASCENDING)],
                    name="by_session",
                    unique=True,
                ),
                IndexModel("user_id", name="by_user"),
                IndexModel("expires_at", name="by_end"),
            ),
            "signing_keys": (
                IndexModel(
                    [("use", ASCENDING), ("follows", ASCENDING)], name="by_predecessor", unique=True
                ),
            ),
            "outbox": (),
            "outbox_checkpoints": (),
        },
    ),
)
BY_USER: Final = ("sessions", "refresh_tokens")
BY_SESSION: Final = {"refresh_tokens": "session_id"}
