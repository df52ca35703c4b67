"""Compares what two stores have, record by record, as it is read back from both."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from chassis.errors import CannotStart
from chassis.storage.copying.copying import Told
from chassis.storage.copying.records import (
    Cursor,
    Kind,
    Record,
    Store,
    Value,
    digest_of,
    packed,
    unpacked,
)

SHOWN: Final = 20
"""How many differences of a kind are named; the others are counted."""
_MODULUS: Final = 1 << 128
_GROUPED: Final = (
    "SELECT key, COUNT(*) AS n, MIN(digest) AS low, MAX(digest) AS high FROM {} GROUP BY key"
)
_DIFFERENT: Final = f"""
WITH o AS ({_GROUPED.format("ours")}), t AS ({_GROUPED.format("theirs")})
SELECT o.key, o.n, IFNULL(t.n, 0) FROM o LEFT JOIN t ON t.key = o.key
WHERE (o.n, o.low, o.high) IS NOT (t.n, t.low, t.high)
UNION ALL
SELECT t.key, 0, t.n FROM t LEFT JOIN o ON o.key = t.key WHERE o.key IS NULL
"""  # noqa: S608 - constants

What: TypeAlias = Literal["differs", "is missing", "is only there"]


@dataclass(frozen=True, slots=True)
class Difference:
    """A record that the stores do not have alike."""

    service: str
    kind: Kind
    key: Record
    what: What
    """Said of the target."""

    @property
    def named(self) -> str:
        """Its key, for people."""
        names = zip(self.kind.columns, self.key, strict=False)
        return " ".join(f"{name}={_shown(value)}" for name, value in names)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What came out for one kind."""

    kind: Kind
    records: int
    """In the source."""
    different: int
    shown: tuple[Difference, ...] = ()


async def compared(source: Store, target: Store, told: Told) -> AsyncIterator[Comparison]:
    """Compare kind by kind; *told* hears of records of either side."""
    for kind in source.kinds:
        ours = await _sum_of(source, kind, told)
        theirs = await _sum_of(target, kind, told)
        if ours == theirs:
            yield Comparison(kind, ours[0], 0)
        else:
            yield await _looked_into(source, target, kind, ours[0])


async def _sum_of(store: Store, kind: Kind, told: Told) -> tuple[int, int]:
    """Count and sum of the digests: equal ones have the same records, in whatever order they came."""
    count = total = 0
    async for records in _pages(store, kind):
        count += len(records)
        total = (total + sum(map(digest_of, records))) % _MODULUS
        told(store.service, kind, len(records))
    return count, total


async def _pages(store: Store, kind: Kind) -> AsyncIterator[Sequence[Record]]:
    after: Cursor = ()
    more = True
    while more:
        try:
            records, after, more = await store.read(kind, after)
        except (LookupError, TypeError, ValueError) as exc:
            raise CannotStart(
                f"{store.service} {kind.name}: a record cannot be read ({exc!r}): somebody changed it"
            ) from exc
        yield records


async def _looked_into(source: Store, target: Store, kind: Kind, count: int) -> Comparison:
    # An empty name is a file that nobody else finds and that is gone afterwards: there may be many records.
    with closing(sqlite3.connect("", isolation_level=None)) as lists:
        for name, store in (("ours", source), ("theirs", target)):
            lists.execute(f"CREATE TABLE {name} (key BLOB, digest BLOB)")
            async for records in _pages(store, kind):
                rows = [_row(kind, record) for record in records]
                lists.executemany(f"INSERT INTO {name} VALUES (?, ?)", rows)  # noqa: S608 - constants
        different, shown = 0, []
        for row in lists.execute(_DIFFERENT):
            different += 1
            if different <= SHOWN:
                shown.append(_difference(source.service, kind, *row))
    return Comparison(kind, count, different, tuple(shown))


def _shown(value: Value) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)


def _row(kind: Kind, record: Record) -> tuple[bytes, bytes]:
    return packed(kind.key(record)), digest_of(record).to_bytes(16)


def _difference(service: str, kind: Kind, key: bytes, ours: int, theirs: int) -> Difference:
    what: What = "differs" if ours and theirs else "is missing" if ours else "is only there"
    return Difference(service, kind, unpacked(key), what)
