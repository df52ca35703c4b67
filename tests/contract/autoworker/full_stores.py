"""Files whose tables are full of rows, with all that a value can be; and what is in the tables of a file."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Final, TypeAlias

import msgspec

from autoworker.copying.services import FILES
from chassis.storage.migrations import migrate
from workflow_service.adapters.columns import decode_json, forms_of
from workflow_service.adapters.mongo.commits import ASIDE
from workflow_service.domain.execution.origin import Origin, ParentTask, ScheduledStart

Row: TypeAlias = dict[str, object]

ROWS: Final = 12
RELAYED: Final = 21
"""Up to which position of the log the relay has come."""
ENDS: Final = {"commits": 9_000, "intake": 7_700, "dead_letters": 5_500, "outbox": 6_600}
"""The last positions that were given out; what had them is gone."""
PARTS: Final = 8 * 1024 * 1024 + 5
"""Bytes of a value that takes two documents."""
_TEXTS: Final = ("", "a", 'quo"te', "comma, [x]", "Zürich/🌍", "a!", "\\", "tab\t", "x" * 300)
_NUMBERS: Final = (0, 1, 2**31, 2**53 + 1, 1_700_000_000_000_000)
_TAGS: Final = (b'["one","two"]', b'{"k":"v"}', b"3", b"[]", None)
_ORIGINS: Final[Sequence[Origin]] = (
    ParentTask(execution="p", task="/do/0/a", effect=1, depth=1, awaited=True),
    ScheduledStart(schedule="tests.hourly", kind="every"),
)
_OURS: Final = ("schema_migrations", "store_copy", "sqlite_sequence", "sqlite_stat1")
WORDS: Final = ("roles", "amr", "permissions", "allowed_ips", "parents", "actions")
_FLAGS: Final = ("busy", "listens", "redrivable")


class Filler:
    """Fills the tables of one file by chance, that of one seed always alike."""

    def __init__(self, db: sqlite3.Connection, seed: int) -> None:
        self._db = db
        self._chance = random.Random(seed)
        self._numbers = count(1)

    def fill(self) -> None:
        """Put rows into every table."""
        for table in tables_of(self._db):
            if table not in ("contents", "execution_tags", "commits", "secret_versions"):
                for _ in range(ROWS):
                    self.put(table, self._special(table))

    def put(self, table: str, given: Mapping[str, object]) -> Row:
        """Put a row into *table*, by chance where nothing is given."""
        row = {
            name: given[name] if name in given else self._value(name, kind, must, key)
            for _, name, kind, must, _, key in self._db.execute(f"PRAGMA table_info({table})")
        }
        marks = ", ".join("?" * len(row))
        self._db.execute(f"INSERT INTO {table} VALUES ({marks})", tuple(row.values()))  # noqa: S608
        return row

    def _value(self, name: str, kind: str, must: bool, key: int) -> object:
        if not must and not key and self._chance.random() < 0.4:
            return None
        if name in _FLAGS:
            return self._chance.randrange(2)
        if kind == "TEXT":
            return f"{self._chance.choice(_TEXTS)}{next(self._numbers)}"
        if kind == "BLOB":
            return f"{next(self._numbers)}".encode() * self._chance.choice((1, 100))
        return next(self._numbers) if key or name == "position" else self._chance.choice(_NUMBERS)

    def _special(self, table: str) -> Row:
        match table:
            case "executions":
                return self._execution()
            case "secrets":
                names: Row = {"tenant": "t", "owner": "o", "name": f"n{next(self._numbers)}"}
                self.put("secret_versions", names)
                self.put("secret_versions", {**names, "owner": "who has deleted it"})
                return names
            case "checkpoints":
                return {"position": RELAYED + next(self._numbers) % 2}
            case "users" | "sessions" | "api_keys" | "roles" | "policy_versions":
                return dict.fromkeys(WORDS, "one two")
            case "role_books":
                return {"version": next(self._numbers)}
            case "preferences":
                return {"email": self._chance.randrange(2)}
            case _:
                return {}

    def _execution(self) -> Row:
        execution, tenant = f"e{next(self._numbers)}", "tenant"
        tags, origin = self._chance.choice(_TAGS), self._chance.choice(_ORIGINS)
        data = msgspec.json.encode(origin)
        self.put("contents", {"execution": execution, "tags": tags, "origin": data})
        for form in forms_of(None if tags is None else decode_json(tags)):
            self.put("execution_tags", {"tenant": tenant, "tag": form, "execution": execution})
        for number in range(1, 4):
            events = b"e" * self._chance.choice((1, 10, ASIDE if number == 1 else 2))
            sequence = {"first_sequence": number, "last_sequence": number, "execution": execution}
            self.put("commits", {**sequence, "events": events})
        outside = {"execution": None, "first_sequence": 1, "last_sequence": 2, "version": 1}
        self.put("commits", {**outside, "events": b"[1,{}]", "events_refs": None})
        return {"execution": execution, "tenant": tenant}


def fill(folder: Path, seed: int = 1) -> None:
    """Make the files of all services, full."""
    for service, made in FILES.items():
        with closing(sqlite3.connect(folder / f"{service}.db", isolation_level=None)) as db:
            db.execute("PRAGMA synchronous=OFF")
            migrate(db, made.migrations)
            db.execute("BEGIN")
            filler = Filler(db, seed)
            filler.fill()
            if service == "workflow":
                filler.put("payloads", {"data": b"p" * PARTS})
            for table, last in ENDS.items():
                db.execute("UPDATE sqlite_sequence SET seq = ? WHERE name = ?", (last, table))
            db.execute("COMMIT")


def tables_of(db: sqlite3.Connection) -> list[str]:
    """The tables that a service has made."""
    found = db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    return [name for (name,) in found if name not in _OURS]


def contents_of(folder: Path) -> dict[str, list[Row]]:
    """All rows of all tables, but for what no process could tell from another value."""
    found: dict[str, list[Row]] = {}
    for service in FILES:
        with closing(sqlite3.connect(folder / f"{service}.db")) as db:
            db.row_factory = sqlite3.Row
            for table in tables_of(db):
                rows = [dict(row) for row in db.execute(f"SELECT * FROM {table}")]  # noqa: S608
                found[f"{service} {table}"] = sorted(_told(table, rows), key=repr)
            ends = db.execute("SELECT name, seq FROM sqlite_sequence").fetchall()
            found[service] = [dict(row) for row in ends if row["name"] in ENDS]
    return found


def _told(table: str, rows: list[Row]) -> list[Row]:
    match table:
        case "executions":
            # Whose it was while it was busy means nothing when it is not.
            return [{**row, "node": row["node"] if row["busy"] else ""} for row in rows]
        case "audit_outbox" | "delivery_attempts":
            # Only their order counts, which the table has them in; that of attempts for each recipient.
            rows = sorted(rows, key=lambda row: (str(row.get("user_id")), row["position"]))
            return [{**row, "position": place} for place, row in enumerate(rows)]
        case _:
            return rows
