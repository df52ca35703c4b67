"""How each kind of records is kept in the tables."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Final

import msgspec

from chassis.storage.copying.outboxes import OutboxRows
from chassis.storage.copying.records import Record
from chassis.storage.copying.tables import Rows, Shelf, inserting, put_sequences
from workflow_service.adapters import copied as kinds
from workflow_service.adapters.columns import decode_json, forms_of

_EXECUTIONS: Final = """(
    SELECT e.execution, tenant, owner, namespace, name, version, digest, priority, created_at,
        run_at, sequence, epoch, CASE busy WHEN 1 THEN node ELSE '' END AS node, busy, wake_at,
        status, started_at, ended_at, parent, tags, input, input_refs, output, output_refs, problem,
        problem_refs, origin
    FROM executions e JOIN contents c ON c.execution = e.execution
)"""
_SNAPSHOTS: Final = f"(SELECT * FROM snapshots WHERE LENGTH(state) <= {kinds.LARGEST_SNAPSHOT})"  # noqa: S608 - a constant
_COMMITS: Final = "(SELECT * FROM commits WHERE execution IS NOT NULL)"
_OUTBOX: Final = """(
    SELECT c.position, c.execution, first_sequence, at, c.version, events, events_refs, namespace,
        name, e.version AS definition_version, tenant, owner, started_at
    FROM commits c LEFT JOIN executions e ON e.execution = c.execution
    WHERE c.execution IS NULL
        OR c.position > (SELECT COALESCE(MIN(position), 0) FROM checkpoints)
)"""
_SEQUENCES: Final = """(
    SELECT column1 AS name,
        COALESCE((SELECT MAX(seq) FROM sqlite_sequence s WHERE s.name = column1), 0) AS last
    FROM (VALUES ('commits'), ('intake'))
)"""
_SECRETS: Final = """(
    SELECT tenant, name, owner, v.version AS mark, tag, s.version, sealed, updated_at, updated_by
    FROM secret_versions v LEFT JOIN secrets s USING (tenant, name, owner)
    UNION ALL
    SELECT tenant, name, owner, NULL, NULL, version, sealed, updated_at, updated_by FROM secrets
    WHERE (tenant, name, owner) NOT IN (SELECT tenant, name, owner FROM secret_versions)
)"""

_SMALL: Final = (
    "execution", "tenant", "owner", "namespace", "name", "version", "digest", "priority",
    "created_at", "run_at", "sequence", "epoch", "node", "busy", "wake_at", "status", "started_at",
    "ended_at", "parent",
)  # fmt: skip
_CONTENTS: Final = kinds.EXECUTIONS.columns[len(_SMALL) :]
_events = msgspec.json.Decoder(list[msgspec.Raw])
_put_executions = inserting("executions", _SMALL)
_put_contents = inserting("contents", ("execution", *_CONTENTS))
_put_tags = inserting("execution_tags", ("tenant", "tag", "execution"))
_put_commits = inserting("commits", kinds.COMMITS.columns)
_put_marks = inserting("secret_versions", ("tenant", "name", "owner", "version", "tag"))
_put_secrets = inserting(
    "secrets", ("tenant", "name", "owner", "version", "sealed", "updated_at", "updated_by")
)


def _write_executions(db: sqlite3.Connection, records: Sequence[Record]) -> None:
    _put_executions(db, [record[: len(_SMALL)] for record in records])
    _put_contents(db, [(record[0], *record[len(_SMALL) :]) for record in records])
    _put_tags(db, [tag for record in records for tag in _tags_of(record)])


def _tags_of(record: Record) -> list[Record]:
    execution, tenant, given = record[0], record[1], record[len(_SMALL)]
    forms = forms_of(decode_json(given)) if isinstance(given, bytes) else []
    return [(tenant, form, execution) for form in forms]


def _write_outbox(db: sqlite3.Connection, records: Sequence[Record]) -> None:
    """Only what came from outside: commits of executions are told of by themselves."""
    rows: list[Record] = []
    for position, execution, first, at, version, events, references, *_ in records:
        if execution is None and isinstance(events, bytes):
            last = len(_events.decode(events))
            rows.append((position, None, first, last, at, version, events, references))
    _put_commits(db, rows)


def _write_secrets(db: sqlite3.Connection, records: Sequence[Record]) -> None:
    _put_marks(db, [record[:5] for record in records if record[3] is not None])
    _put_secrets(db, [(*record[:3], *record[5:]) for record in records if record[6] is not None])


SHELVES: Final[Sequence[Shelf]] = (
    Rows(kinds.SEQUENCES, _SEQUENCES, put_sequences),
    Rows(kinds.DEFINITIONS),
    Rows(kinds.PAYLOADS),
    Rows(kinds.USES),
    Rows(kinds.EXECUTIONS, _EXECUTIONS, _write_executions),
    Rows(kinds.COMMITS, _COMMITS),
    Rows(kinds.SNAPSHOTS, _SNAPSHOTS),
    Rows(kinds.CHECKPOINTS),
    Rows(kinds.OUTBOX, _OUTBOX, _write_outbox),
    Rows(kinds.KEYS),
    Rows(kinds.SEEN),
    Rows(kinds.INTAKE),
    Rows(kinds.READERS),
    Rows(kinds.SUBSCRIPTIONS),
    Rows(kinds.FORGOTTEN),
    Rows(kinds.FUNCTIONS),
    Rows(kinds.SCHEDULES),
    Rows(kinds.TENANT_KEYS),
    Rows(kinds.SECRETS, _SECRETS, _write_secrets),
    OutboxRows(),
)
"""In the order in which they are written."""
