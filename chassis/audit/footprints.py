"""What a call has changed before its entry is kept: the trace that is left when a crash comes in between.

The first write of a call leaves a footprint in its own transaction; it is taken away once the entry that tells of the change is
kept. What is found at the next start, or when the call is cut off, becomes an entry itself: so no change that was made for a caller is without one.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

import msgspec

from chassis.audit.entry import Fact
from chassis.audit.port import Audit
from chassis.ids import Ids
from chassis.storage.companions import Companion, Transaction, on_sqlite, usually_beside
from chassis.storage.sqlite import SqliteDatabase

FOOTPRINTS: Final = """
CREATE TABLE audit_footprints (
    id TEXT PRIMARY KEY,
    facts BLOB NOT NULL
) STRICT, WITHOUT ROWID
"""
"""The table that they are in."""
_TAKE: Final = "DELETE FROM audit_footprints WHERE id = ?"
UNCONFIRMED: Final = "change_unconfirmed"
"""Something was changed in a call that a crash ended; what it was, its `target`, the method, suggests."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, Fact]).decode


@dataclass(slots=True)
class _Call:
    facts: dict[str, Fact]
    id: str = ""
    """Of the footprint that it has left; "": none."""


_call: ContextVar[_Call | None] = ContextVar("audit_call", default=None)


class Footprints(ABC):
    """Leaves footprints in the store of a service, and takes them away."""

    def __init__(self, ids: Ids) -> None:
        self._ids = ids
        self._covered: list[str] = []

    def enter(self, facts: dict[str, Fact]) -> None:
        """From here on the writes of this context are made for the caller whom *facts* tell of."""
        call = _Call(facts)
        _call.set(call)
        usually_beside(self._leaving(call))

    def cover(self) -> bool:
        """The change of this context is told; whether it had left a footprint."""
        call = _call.get()
        if call is None or not call.id:
            return False
        self._covered.append(call.id)
        call.id = ""
        return True

    def left(self) -> dict[str, Fact] | None:
        """Of whose call there is a footprint that nobody has told of; None: there is none."""
        call = _call.get()
        return call.facts if call is not None and call.id else None

    def covered(self) -> tuple[str, ...]:
        """Those that may be taken away once all that was told so far is kept."""
        return tuple(self._covered)

    async def sweep(self, ids: tuple[str, ...]) -> None:
        """Take away *ids*, the first ones that are covered.

        Raises:
            Unavailable: the store cannot be written now; they stay covered.
        """
        if ids:
            await self._drop(ids)
            del self._covered[: len(ids)]

    async def report(self, audit: Audit) -> None:
        """Tell *audit* of what crashes have left, and take it away in the same transaction."""
        for footprint, facts in await self._found():
            with audit.along(UNCONFIRMED, **_decode(facts)):
                await self._take(footprint)

    def _leaving(self, call: _Call) -> Callable[[], Companion | None]:
        def companion() -> Companion | None:
            if call.id:
                return None
            call.id = footprint = self._ids.new()
            return Companion(lambda within: self._leave(within, footprint, _encode(call.facts)))

        return companion

    @abstractmethod
    def _leave(self, transaction: Transaction, footprint: str, facts: bytes) -> None:
        """Leave it within *transaction*; the same again changes nothing."""

    @abstractmethod
    async def _drop(self, ids: Sequence[str]) -> None:
        """Take *ids* away."""

    @abstractmethod
    async def _found(self) -> Sequence[tuple[str, bytes]]:
        """Those of calls that have surely ended, with their facts."""

    @abstractmethod
    async def _take(self, footprint: str) -> bool:
        """Take it away, in a write that others may go along with; False: somebody else has."""


class SqliteFootprints(Footprints):
    """In a table of *database*; at its start a process finds those of the one before it."""

    def __init__(self, database: SqliteDatabase, ids: Ids) -> None:
        super().__init__(ids)
        self._database = database

    def _leave(self, transaction: Transaction, footprint: str, facts: bytes) -> None:
        on_sqlite(transaction).execute(
            "INSERT OR IGNORE INTO audit_footprints VALUES (?, ?)", (footprint, facts)
        )

    async def _drop(self, ids: Sequence[str]) -> None:
        await self._database.write(
            lambda connection: connection.executemany(_TAKE, [(each,) for each in ids]).rowcount
        )

    async def _found(self) -> Sequence[tuple[str, bytes]]:
        return await self._database.read(
            lambda connection: connection.execute(
                "SELECT id, facts FROM audit_footprints"
            ).fetchall()
        )

    async def _take(self, footprint: str) -> bool:
        return await self._database.write(
            lambda connection: connection.execute(_TAKE, (footprint,)).rowcount == 1
        )
