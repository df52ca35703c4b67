"""Collections and indexes.

Flags are 1 or absent, and times absent when there are none, so that the partial indexes over them have only those that
are looked for. Times are microseconds since 1970 in UTC.
"""

from __future__ import annotations

from typing import Final

from pymongo import ASCENDING, DESCENDING, IndexModel

from chassis.audit.mongo_outbox import outbox_migration
from chassis.storage.mongo_migrations import MongoMigration

_PRESENT: Final = {"$gt": 0}
_NEWEST: Final = [("created_at", DESCENDING), ("_id", DESCENDING)]


def _index(name: str, *keys: str | tuple[str, int], **options: object) -> IndexModel:
    pairs = [key if isinstance(key, tuple) else (key, ASCENDING) for key in keys]
    return IndexModel(pairs, name=name, **options)


_EXECUTIONS: Final = (
    _index("of_tenant", "tenant", *_NEWEST),
    _index("of_owner", "tenant", "owner", *_NEWEST),
    _index("of_tag", "tenant", "tags", *_NEWEST, partialFilterExpression={"tagged": _PRESENT}),
    _index("of_parent", "parent", *_NEWEST, partialFilterExpression={"parent": {"$gt": ""}}),
    _index("open", "tenant", "_id", partialFilterExpression={"open": _PRESENT}),
    _index("children", "child", sparse=True),
    _index("wake", "wake_at", partialFilterExpression={"wake_at": _PRESENT}),
    _index(
        "due",
        "tenant",
        ("priority", DESCENDING),
        "wake_at",
        partialFilterExpression={"wake_at": _PRESENT},
    ),
    _index("busy", "tenant", "nodes", partialFilterExpression={"busy": _PRESENT}),
    _index("ended", "ended_at", partialFilterExpression={"ended_at": _PRESENT}),
)

MIGRATIONS: Final = (
    MongoMigration(
        1,
        "histories",
        {
            # Every commit in one order; an _id is the position of the first in it.
            "log": (_index("by_last", "last"),),
            "executions": _EXECUTIONS,
            "commits": (_index("of_execution", "execution", "last", unique=True),),
            "event_parts": (_index("of_execution", "execution"),),
            "snapshots": (),
            "idempotency_keys": (_index("by_expiry", "expires_at"),),
            "checkpoints": (),
            "forgotten": (),
            "leases": (),
            # Processes that have written: kept for long after their last sign of life, as what they left is found by them.
            "nodes": (_index("silent", "at", expireAfterSeconds=7 * 86_400),),
        },
    ),
    MongoMigration(
        2,
        "events",
        {
            "seen": (_index("by_age", "at"),),
            "intake": (_index("of_tenant", "tenant", "_id"), _index("by_age", "at")),
            "intake_readers": (),
            "subscriptions": (
                _index("by_shape", "tenant", "type", "shape", "key", "execution", "frame"),
                _index("of_execution", "execution"),
                # Ended ones stay for a while, so that nobody who is late brings them back.
                _index("ended", "ended", expireAfterSeconds=3600),
            ),
        },
    ),
    MongoMigration(
        3,
        "payloads",
        {
            "payloads": (),
            "payload_uses": (
                _index("of_execution", "execution"),
                _index("users", "payload"),
            ),
        },
    ),
    MongoMigration(
        4,
        "definitions",
        {
            "definitions": (
                _index(
                    "by_rank",
                    "tenant",
                    "namespace",
                    "name",
                    ("precedence", DESCENDING),
                    ("version", DESCENDING),
                ),
                _index("by_digest", "tenant", "digest"),
            ),
            "functions": (_index("of_tenant", "tenant", "name", "version", "owner"),),
        },
    ),
    MongoMigration(
        5,
        "schedules",
        {
            "schedules": (
                _index("of_tenant", "tenant", "namespace", "name"),
                _index("due", "due_at", partialFilterExpression={"due_at": _PRESENT}),
                _index(
                    "listening",
                    "tenant",
                    "namespace",
                    "name",
                    partialFilterExpression={"listens": _PRESENT},
                ),
            ),
        },
    ),
    MongoMigration(
        6,
        "secrets",
        {
            "tenant_keys": (),
            "secrets": (_index("of_tenant", "tenant", "name", ("owner", DESCENDING)),),
        },
    ),
    outbox_migration(7),
    # Up to where the log is derived, for each process and for all of them.
    MongoMigration(8, "derived", {"derived": ()}),
)
