"""How each kind of records is kept in the tables."""

import sqlite3
from collections.abc import Sequence
from typing import Final

from chassis.storage.copying.outboxes import OutboxRows
from chassis.storage.copying.records import Cursor, Page, Record, number_of
from chassis.storage.copying.tables import Rows, Shelf, inserting, put_sequences, some
from notification_service.adapters import copied as kinds

_SEQUENCES: Final = """(
    SELECT 'dead_letters' AS name, COALESCE(
        (SELECT MAX(seq) FROM sqlite_sequence WHERE name = 'dead_letters'), 0
    ) AS last
)"""
_INBOXES: Final = """(
    SELECT tenant, user_id, MAX(last) AS last, MAX(logged) AS logged FROM (
        SELECT tenant, user_id, MAX(position) AS last, 0 AS logged FROM notifications
        GROUP BY tenant, user_id
        UNION ALL
        SELECT tenant, user_id, 0, COUNT(*) FROM delivery_attempts GROUP BY tenant, user_id
    ) GROUP BY tenant, user_id
)"""
_ATTEMPT: Final = (
    "id", "tenant", "user_id", "notification_id", "channel", "target", "status", "number", "error",
    "attempted_at",
)  # fmt: skip
_ATTEMPTS: Final = (
    f"SELECT position, {', '.join(_ATTEMPT)} FROM delivery_attempts {{}}"  # noqa: S608 - constants
    " ORDER BY tenant, user_id, position"
)
_BEHIND: Final = "WHERE (tenant, user_id, position) > (?, ?, ?)"


class AttemptRows:
    """Attempts, recipient by recipient; here they are numbered across recipients."""

    kind = kinds.ATTEMPTS

    def count(self, db: sqlite3.Connection) -> int:
        """See `Shelf`."""
        return int(db.execute("SELECT COUNT(*) FROM delivery_attempts").fetchone()[0])

    def read(self, db: sqlite3.Connection, after: Cursor) -> Page:
        """See `Shelf`."""
        query = _ATTEMPTS.format(_BEHIND if after else "")
        rows, more = some(db.execute(query, after[:3]))
        user, number = after[:2], number_of(after[3]) if after else 0
        records: list[Record] = []
        for _, id_, tenant, user_id, *rest in rows:
            number = number + 1 if user == (tenant, user_id) else 1
            user = (tenant, user_id)
            records.append((id_, tenant, user_id, number, *rest))
        return Page(records, (*user, rows[-1][0], number) if rows else after, more)

    def write(self, db: sqlite3.Connection, records: Sequence[Record]) -> None:
        """See `Shelf`: they get the next positions, in their order."""
        _put_attempts(db, [(*each[:3], *each[4:]) for each in records])


_put_attempts = inserting("delivery_attempts", _ATTEMPT)


def _nothing(db: sqlite3.Connection, records: Sequence[Record]) -> None:
    """Here it follows from the rest."""


SHELVES: Final[Sequence[Shelf]] = (
    Rows(kinds.SEQUENCES, _SEQUENCES, put_sequences),
    Rows(kinds.SETTLED),
    Rows(kinds.CONTACTS),
    Rows(kinds.PREFERENCES),
    Rows(kinds.NOTIFICATIONS),
    AttemptRows(),
    Rows(kinds.INBOXES, _INBOXES, _nothing),
    Rows(kinds.QUEUE),
    Rows(kinds.MAILS),
    Rows(kinds.DEAD_LETTERS),
    OutboxRows(),
)
"""In the order in which they are written."""
