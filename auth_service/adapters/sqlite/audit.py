"""The audit trail on SQLite."""

import os
import sqlite3
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Final

import msgspec

from auth_service.adapters.chains import (
    COLUMNS,
    Marked,
    Stored,
    further,
    kept,
    stored,
    walk_from,
)
from auth_service.adapters.times import micros
from auth_service.application.ports.audit import AuditFilter, Checkpoint, KeptEntry, Verdict
from auth_service.domain.audit import (
    BEGINNING,
    SALT_BYTES,
    Broken,
    ChainKeys,
    Place,
    Walk,
    chained,
    mark_of,
)
from chassis.audit import AuditEntry
from chassis.storage.companions import Transaction, alone, on_sqlite
from chassis.storage.sqlite import SqliteDatabase

_COLUMNS: Final = ", ".join(COLUMNS)
_INSERT = f"INSERT INTO audit ({_COLUMNS}) VALUES ({', '.join('?' for _ in COLUMNS)})"  # noqa: S608 - constants
_PAGE = f"SELECT {_COLUMNS} FROM audit WHERE tenant = ? AND sequence > ? ORDER BY sequence LIMIT ?"  # noqa: S608 - constants
_SAVE_HEAD = (
    "INSERT INTO audit_heads VALUES (?, ?, ?, ?) ON CONFLICT (tenant) DO UPDATE "
    "SET sequence = excluded.sequence, link = excluded.link, mark = excluded.mark"
)
_ANCHOR = (
    "SELECT sequence, link, mark FROM audit_anchors WHERE tenant = ? ORDER BY sequence DESC LIMIT 1"
)
_HEAD = "SELECT sequence, link, mark FROM audit_heads WHERE tenant = ?"
_VERIFIED_AT_ONCE = 2_000
_PURGED_AT_ONCE = 5_000


class SqliteAuditTrail:
    """The port `AuditTrail`, and a `chassis.audit.recorder.Sink`."""

    def __init__(self, database: SqliteDatabase, keys: ChainKeys) -> None:
        self._database = database
        self._keys = keys

    async def keep(self, entries: Sequence[AuditEntry]) -> None:
        """See the port."""
        with alone():  # what is told needs no telling
            await self._database.write(partial(_append, self._keys, entries))

    def keep_within(self, transaction: Transaction, entry: AuditEntry) -> None:
        """See `Sink.keep_within`."""
        _append(self._keys, (entry,), on_sqlite(transaction))

    async def find(
        self, wanted: AuditFilter, *, before: int | None, limit: int
    ) -> Sequence[KeptEntry]:
        """See the port."""
        return await self._database.read(
            partial(find_in, wanted=wanted, before=before, limit=limit)
        )

    async def verify(self, tenant: str, checkpoints: Sequence[Checkpoint]) -> Verdict:
        """See the port."""
        while True:
            anchor = await self._anchor(tenant)
            verdict = await self._walked(tenant, checkpoints)
            # A purge meanwhile takes away what was still to be seen.
            if verdict.broken is None or anchor == await self._anchor(tenant):
                return verdict

    async def _walked(self, tenant: str, checkpoints: Sequence[Checkpoint]) -> Verdict:
        begun = await self._database.read(partial(beginning, self._keys, tenant, checkpoints))
        if isinstance(begun, Broken):
            return Verdict(tenant, 0, 0, 0, 0, begun)
        while True:
            done = await self._database.read(partial(go_on, begun, tenant))
            if done is not None:
                return done

    async def _anchor(self, tenant: str) -> object:
        return await self._database.read(lambda c: c.execute(_ANCHOR, (tenant,)).fetchone())

    async def checkpoint(self) -> Sequence[tuple[str, Place]]:
        """See the port."""
        rows = await self._database.read(
            lambda c: c.execute("SELECT tenant, sequence, link FROM audit_heads").fetchall()
        )
        return [(tenant, Place(sequence, link)) for tenant, sequence, link in rows]

    async def purge(self, before: datetime) -> int:
        """See the port."""
        tenants = await self._database.read(
            lambda c: [tenant for (tenant,) in c.execute("SELECT tenant FROM audit_heads")]
        )
        purged = 0
        for tenant in tenants:
            work = partial(_purge, self._keys, tenant, micros(before))
            while some := await self._database.write(work):
                purged += some
        return purged


def find_in(
    connection: sqlite3.Connection, wanted: AuditFilter, before: int | None, limit: int
) -> Sequence[KeptEntry]:
    """Those that are wanted, newest first, below the sequence *before*."""
    statement, values = _query(wanted, before, limit)
    return [kept(Stored(*row)) for row in connection.execute(statement, values).fetchall()]


def beginning(
    keys: ChainKeys, tenant: str, checkpoints: Sequence[Checkpoint], connection: sqlite3.Connection
) -> Walk | Broken:
    """A walk along the chain of *tenant*, from its anchor on."""
    return walk_from(
        keys,
        tenant,
        checkpoints,
        anchor=_marked(connection, _ANCHOR, tenant),
        head=_marked(connection, _HEAD, tenant),
    )


def go_on(walk: Walk, tenant: str, connection: sqlite3.Connection) -> Verdict | None:
    """Some steps further; the verdict once it has come to the end, or to where it breaks."""
    rows = connection.execute(_PAGE, (tenant, walk.place.sequence, _VERIFIED_AT_ONCE)).fetchall()
    more = len(rows) == _VERIFIED_AT_ONCE
    return further(walk, tenant, [Stored(*row) for row in rows], more=more)


def _marked(connection: sqlite3.Connection, statement: str, tenant: str) -> Marked | None:
    row = connection.execute(statement, (tenant,)).fetchone()
    return None if row is None else Marked(Place(row[0], row[1]), row[2])


def _append(keys: ChainKeys, entries: Sequence[AuditEntry], connection: sqlite3.Connection) -> None:
    places: dict[str, Place] = {}
    for entry in entries:
        known = connection.execute("SELECT 1 FROM audit WHERE id = ?", (entry.id,)).fetchone()
        if known is None:
            after = places.get(entry.tenant) or _head(connection, entry.tenant)
            row = chained(keys.links, entry, after, os.urandom(SALT_BYTES))
            connection.execute(_INSERT, msgspec.structs.astuple(stored(row)))
            places[entry.tenant] = row.place
    for tenant, place in places.items():
        mark = mark_of(keys, "head", tenant, place)
        connection.execute(_SAVE_HEAD, (tenant, place.sequence, place.link, mark))


def _head(connection: sqlite3.Connection, tenant: str) -> Place:
    row = connection.execute(
        "SELECT sequence, link FROM audit_heads WHERE tenant = ?", (tenant,)
    ).fetchone()
    return BEGINNING if row is None else Place(*row)


def _purge(keys: ChainKeys, tenant: str, before: int, connection: sqlite3.Connection) -> int:
    """Purge some entries that are older than *before*, and anchor the chain behind them."""
    # Times need not ascend, since entries of other services come later: only what is all old goes.
    last = connection.execute(
        "SELECT coalesce(min(CASE WHEN at >= ?2 THEN sequence END) - 1, max(sequence)) "
        "FROM (SELECT sequence, at FROM audit WHERE tenant = ?1 ORDER BY sequence LIMIT ?3)",
        (tenant, before, _PURGED_AT_ONCE),
    ).fetchone()[0]
    row = connection.execute(
        "SELECT link FROM audit WHERE tenant = ? AND sequence = ?", (tenant, last)
    ).fetchone()
    if row is None:
        return 0
    (link,) = row
    mark = mark_of(keys, "anchor", tenant, Place(last, link))
    connection.execute("INSERT INTO audit_anchors VALUES (?, ?, ?, ?)", (tenant, last, link, mark))
    return connection.execute(
        "DELETE FROM audit WHERE tenant = ? AND sequence <= ?", (tenant, last)
    ).rowcount


def _query(
    wanted: AuditFilter, before: int | None, limit: int
) -> tuple[str, tuple[str | int, ...]]:
    conditions, values = ["tenant = ?"], list[str | int]([wanted.tenant])
    for name in ("actor", "action", "target", "outcome", "address"):
        if value := getattr(wanted, name):
            conditions.append(f"{name} = ?")
            values.append(value)
    for condition, moment in (("at >= ?", wanted.since), ("at < ?", wanted.until)):
        if moment is not None:
            conditions.append(condition)
            values.append(micros(moment))
    if before is not None:
        conditions.append("sequence < ?")
        values.append(before)
    where = " AND ".join(conditions)
    return (
        f"SELECT {_COLUMNS} FROM audit WHERE {where} ORDER BY sequence DESC LIMIT ?",  # noqa: S608 - names of columns only
        (*values, limit),
    )
