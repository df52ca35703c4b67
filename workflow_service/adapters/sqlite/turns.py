"""Executions that wait for somebody, picked so that tenants take turns.

Each tenant has a cursor of its own along an index, read no further than needed: what it costs grows with the number of
tenants and of executions returned, not with how much one tenant has waiting.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Final

from workflow_service.adapters.turns import in_turns

# From one tenant to the next along an index that begins with the tenant.
_NEXT_WITH_TIMERS: Final = (
    "SELECT tenant FROM executions INDEXED BY executions_to_wake"
    " WHERE wake_at IS NOT NULL AND tenant > ? ORDER BY tenant LIMIT 1"
)
_NEXT_BUSY: Final = (
    "SELECT tenant FROM executions INDEXED BY executions_busy"
    " WHERE busy = 1 AND tenant > ? ORDER BY tenant LIMIT 1"
)
_EARLIEST: Final = "SELECT MIN(wake_at) FROM executions WHERE wake_at IS NOT NULL"
_LOWER_PRIORITY: Final = (
    "SELECT MAX(priority) FROM executions INDEXED BY executions_to_wake"
    " WHERE wake_at IS NOT NULL AND tenant = ? AND priority < ?"
)
_DUE: Final = (
    "SELECT execution FROM executions INDEXED BY executions_to_wake"
    " WHERE tenant = ? AND priority = ? AND wake_at <= ? ORDER BY wake_at"
)
_BUSY_BEFORE: Final = (
    "SELECT execution FROM executions INDEXED BY executions_busy"
    " WHERE busy = 1 AND tenant = ? AND node < ?"
)
_BUSY_BEHIND: Final = (
    "SELECT execution FROM executions INDEXED BY executions_busy"
    " WHERE busy = 1 AND tenant = ? AND node > ?"
)
_ABOVE_ALL: Final = 2**31


def due(db: sqlite3.Connection, now: int, limit: int) -> list[str]:
    """Return executions whose time has come; see ``EventStore.due``."""
    earliest = db.execute(_EARLIEST).fetchone()[0]
    if earliest is None or earliest > now:
        return []
    return in_turns((_due_of(db, tenant, now) for tenant in _tenants(db, _NEXT_WITH_TIMERS)), limit)


def left_by_others(db: sqlite3.Connection, owner: str, limit: int) -> list[str]:
    """Return busy executions that belong to somebody else than *owner*."""
    return in_turns((_left_of(db, tenant, owner) for tenant in _tenants(db, _NEXT_BUSY)), limit)


def _tenants(db: sqlite3.Connection, following: str) -> Iterator[str]:
    tenant = ""
    while (found := db.execute(following, (tenant,)).fetchone()) is not None:
        tenant = found[0]
        yield tenant


def _due_of(db: sqlite3.Connection, tenant: str, now: int) -> Iterator[str]:
    priority = _ABOVE_ALL
    while (lower := db.execute(_LOWER_PRIORITY, (tenant, priority)).fetchone()[0]) is not None:
        priority = lower
        for (execution,) in db.execute(_DUE, (tenant, priority, now)):
            yield execution


def _left_of(db: sqlite3.Connection, tenant: str, owner: str) -> Iterator[str]:
    for statement in (_BUSY_BEFORE, _BUSY_BEHIND):
        for (execution,) in db.execute(statement, (tenant, owner)):
            yield execution
