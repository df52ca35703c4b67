"""What the service keeps, told as records that every store can make and take: see `chassis.storage.copying`.

Not told are signs of life and leases, which mean nothing once no process runs; and snapshots that not every store can
hold, since they are made again.
"""

from __future__ import annotations

from typing import Final

from chassis.storage.copying.records import Kind

LARGEST_SNAPSHOT: Final = 8 * 1024 * 1024
"""Bytes."""

SEQUENCES: Final = Kind("sequences", ("name", "last"), always=True)
"""The last positions that were given out in the log (`commits`) and in the intake, so that none is given out again."""
EXECUTIONS: Final = Kind(
    "executions",
    (
        "execution", "tenant", "owner", "namespace", "name", "version", "digest", "priority",
        "created_at", "run_at", "sequence", "epoch", "node", "busy", "wake_at", "status",
        "started_at", "ended_at", "parent", "tags", "input", "input_refs", "output", "output_refs",
        "problem", "problem_refs", "origin",
    ),
)  # fmt: skip
"""`node` is whose work it is while it is busy, and empty otherwise."""
SNAPSHOTS: Final = Kind("snapshots", ("execution", "sequence", "version", "state", "state_refs"))
COMMITS: Final = Kind(
    "commits",
    (
        "position", "execution", "first_sequence", "last_sequence", "at", "version", "events",
        "events_refs",
    ),
)  # fmt: skip
OUTBOX: Final = Kind(
    "outbox",
    (
        "position", "execution", "first_sequence", "at", "version", "events", "events_refs",
        "namespace", "name", "definition_version", "tenant", "owner", "started_at",
    ),
)  # fmt: skip
"""What the relay has not passed yet, and what came from outside, which only the relay reads and retention deletes."""
KEYS: Final = Kind(
    "idempotency_keys", ("tenant", "owner", "key", "execution", "fingerprint", "expires_at"), 3
)
SEEN: Final = Kind("inbound_events", ("tenant", "source", "id", "at"), 3)
INTAKE: Final = Kind("intake", ("position", "tenant", "at", "event"))
READERS: Final = Kind("intake_readers", ("name", "position"))
CHECKPOINTS: Final = Kind("checkpoints", ("name", "position"))
SUBSCRIPTIONS: Final = Kind(
    "subscriptions",
    ("tenant", "type", "shape", "key", "execution", "frame", "number", "since"),
    6,
)
PAYLOADS: Final = Kind("payloads", ("tenant", "digest", "data"), 2)
USES: Final = Kind("payload_uses", ("execution", "digest", "tenant"), 2)
FORGOTTEN: Final = Kind("forgotten", ("execution",))
DEFINITIONS: Final = Kind(
    "definitions",
    (
        "tenant", "namespace", "name", "version", "precedence", "digest", "document", "created_at",
        "created_by", "title", "summary", "pinned",
    ),
    4,
)  # fmt: skip
FUNCTIONS: Final = Kind(
    "functions",
    ("tenant", "name", "version", "owner", "input_schema", "output_schema", "last_seen_at"),
    4,
)
SCHEDULES: Final = Kind(
    "schedules", ("tenant", "namespace", "name", "revision", "due_at", "listens", "record"), 3
)
TENANT_KEYS: Final = Kind("tenant_keys", ("tenant", "wrapped_by", "sealed"))
SECRETS: Final = Kind(
    "secrets",
    (
        "tenant", "name", "owner", "mark", "tag", "version", "sealed", "updated_at", "updated_by",
    ),
    3,
)  # fmt: skip
"""A secret and the mark of its last version; of one that was deleted the mark alone."""
