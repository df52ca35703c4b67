"""What the stores of OAuth have in common: what is opened, and sessions that end together."""

import sqlite3
from collections.abc import Sequence

from auth_service.adapters.oauth_documents import encode
from auth_service.adapters.oauth_rules import session_ended
from auth_service.adapters.sqlite.ledger import Entry
from auth_service.adapters.sqlite.sessions import end_session, open_session
from auth_service.application.ports.oauth import Ending, Opened


def open_granted(connection: sqlite3.Connection, opened: Opened) -> None:
    """Keep the session of a grant, and what was granted."""
    open_session(connection, opened.session, opened.expires_at, opened.refresh)
    connection.execute(
        "INSERT INTO oauth_grants (session_id, document) VALUES (?, ?)",
        (opened.session.id, encode(opened.granted)),
    )


def end_sessions(
    entry: Entry, condition: str, values: Sequence[object], ending: Ending
) -> Sequence[str]:
    """End every live session that fulfils *condition*; their ids."""
    rows = entry.connection.execute(
        f"SELECT id, user_id, tenant FROM sessions WHERE revoked_at IS NULL AND {condition}",  # noqa: S608
        values,
    ).fetchall()
    for number, (session_id, user_id, tenant) in enumerate(rows):
        event = session_ended(ending, number, session_id=session_id, user_id=user_id, tenant=tenant)
        end_session(entry, event, ending.forget_at)
    return [row[0] for row in rows]
