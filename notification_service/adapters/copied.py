"""What the service keeps, told as records that every store can make and take: see `chassis.storage.copying`.

Not told are signs of life and claims on deliveries, which mean nothing once no process runs.
"""

from typing import Final

from chassis.storage.copying.records import Kind

SEQUENCES: Final = Kind("sequences", ("name", "last"), always=True)
"""The last position that was given out among the dead letters."""
SETTLED: Final = Kind("settled_events", ("source", "id"), 2)
CONTACTS: Final = Kind("contacts", ("tenant", "user_id", "email", "name", "as_of"), 2)
PREFERENCES: Final = Kind("preferences", ("tenant", "user_id", "email"), 2)
NOTIFICATIONS: Final = Kind(
    "notifications",
    (
        "id", "tenant", "user_id", "position", "type", "title", "body", "data", "created_at",
        "read_at",
    ),
)  # fmt: skip
ATTEMPTS: Final = Kind(
    "delivery_attempts",
    (
        "id", "tenant", "user_id", "number_of_user", "notification_id", "channel", "target",
        "status", "number", "error", "attempted_at",
    ),
)  # fmt: skip
"""Each recipient's are counted from 1: their order is kept, and their positions differ from store to store."""
INBOXES: Final = Kind("inboxes", ("tenant", "user_id", "last", "logged"), 2)
"""The last position in each inbox, and how many attempts there were to reach its owner."""
QUEUE: Final = Kind(
    "delivery_queue",
    ("notification_id", "channel", "tenant", "user_id", "attempts", "due_at"),
    2,
)
MAILS: Final = Kind("mails", ("id", "tenant", "sealed", "written_at", "expires_at"))
DEAD_LETTERS: Final = Kind(
    "dead_letters",
    (
        "id", "tenant", "position", "kind", "service", "subscription", "type", "about", "reason",
        "payload", "redrivable", "first_at", "at", "times",
    ),
)  # fmt: skip
