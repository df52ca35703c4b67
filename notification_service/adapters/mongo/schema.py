"""Collections and indexes, step by step. A step that was released is never edited: add another.

Times are whole microseconds since 1970 (`times.stamp`). Flags are 1 or absent, so that the partial indexes over them have
only those that are looked for.
"""

from typing import Final

from pymongo import ASCENDING, DESCENDING, IndexModel

from chassis.audit.mongo_outbox import outbox_migration
from chassis.storage.mongo_migrations import MongoMigration

_WHOSE: Final = [("tenant", ASCENDING), ("user", ASCENDING)]
_NEWEST: Final = ("position", DESCENDING)
_PRESENT: Final = {"$gt": 0}

MIGRATIONS: Final = (
    MongoMigration(
        1,
        "initial",
        {
            "settled_events": (),
            "contacts": (),
            "preferences": (),
            # The last positions of each inbox and of its log of attempts.
            "inboxes": (),
            "notifications": (
                IndexModel([*_WHOSE, _NEWEST], name="of_inbox", unique=True),
                IndexModel(
                    [*_WHOSE, ("unread", ASCENDING), _NEWEST],
                    name="unread",
                    partialFilterExpression={"unread": _PRESENT},
                ),
            ),
            "delivery_attempts": (
                IndexModel([*_WHOSE, _NEWEST], name="of_recipient"),
                IndexModel([*_WHOSE, ("notification", 1), _NEWEST], name="of_notification"),
            ),
            "delivery_queue": (
                IndexModel("due_at", name="due"),
                IndexModel("holder", name="held", sparse=True),
                IndexModel(_WHOSE, name="of_recipient"),
            ),
            # Processes: kept for long after their last sign of life.
            "nodes": (IndexModel("at", name="silent", expireAfterSeconds=7 * 86_400),),
        },
    ),
    MongoMigration(
        2,
        "mails",
        {
            "mails": (
                IndexModel("written_at", name="sent", partialFilterExpression={"sent": _PRESENT}),
                IndexModel(
                    "expires_at",
                    name="unsent",
                    partialFilterExpression={"sealed": {"$exists": True}},
                ),
            ),
        },
    ),
    MongoMigration(
        3,
        "dead letters",
        {
            "dead_letters": (IndexModel([("tenant", ASCENDING), _NEWEST], name="of_tenant"),),
            "counters": (),
        },
    ),
    outbox_migration(4),
)
