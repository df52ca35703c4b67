"""Records: what a service keeps, told in a form that no store has to itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final, NamedTuple, Protocol, TypeAlias

import msgspec

Value: TypeAlias = str | int | float | bytes | None
Record: TypeAlias = tuple[Value, ...]
Cursor: TypeAlias = tuple[Value, ...]
"""A place in the records of one kind, as the store that gave it understands it; empty: before the first."""

RECORDS: Final = 1_000
BYTES: Final = 4 * 1024 * 1024
"""How many records, and bytes, are read and written at once; a single record may have more."""

# Whole numbers of MongoDB's are of a type of their own.
_encode = msgspec.msgpack.Encoder(enc_hook=int).encode
_decode = msgspec.msgpack.Decoder().decode


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of records.

    Args:
        name: what people are told.
        columns: the names of the values, first those that no two records have alike.
        keys: how many those are.
        always: whether even an empty store has some: they do not say that it is used.
    """

    name: str
    columns: tuple[str, ...]
    keys: int = 1
    always: bool = False

    def key(self, record: Record) -> Record:
        """By what *record* is known."""
        return record[: self.keys]


class Page(NamedTuple):
    """Some records in the order of their store."""

    records: Sequence[Record]
    cursor: Cursor
    """Behind the last of them."""
    more: bool
    """Whether there may be others behind them."""


class Store(Protocol):
    """All that one service keeps, as records.

    All of it may raise `StoreUnavailable`.
    """

    @property
    def service(self) -> str:
        """Whose it is."""
        ...

    @property
    def kinds(self) -> Sequence[Kind]:
        """What it keeps, in the order in which it is to be written."""
        ...

    async def count(self, kind: Kind) -> int:
        """How many records of a kind there are."""
        ...

    async def read(self, kind: Kind, after: Cursor) -> Page:
        """Some records of a kind behind a place."""
        ...

    async def write(self, kind: Kind, records: Sequence[Record], note: Note) -> None:
        """Have *records* there, whether they were or not, and *note* from then on."""
        ...

    async def note(self) -> Note | None:
        """What was noted last of a copy into this store."""
        ...

    async def put_note(self, note: Note) -> None:
        """Note how far the copy has come."""
        ...

    async def clear(self) -> None:
        """Forget every record; the note stays."""
        ...


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """How far a copy has come, kept in the store that is being filled."""

    state: str
    """`copying`, `clearing` or `done`."""
    source: str
    """Where the records come from."""
    totals: Mapping[str, int]
    """How many records of each kind there were, so that a source that has changed since is noticed."""
    copied: Mapping[str, int] = {}
    """How many of them are here, by kind; only kinds that were begun."""
    place: bytes = b""
    """The cursor behind the last record of the kind that was begun last, `packed`; empty: before the first."""


def number_of(value: Value) -> int:
    """The number that *value* is by its kind, or its cursor."""
    if not isinstance(value, int):
        raise TypeError(f"{type(value).__name__} where a number belongs")
    return value


def packed(values: Record) -> bytes:
    """*values* as bytes; others are other bytes."""
    return _encode(values)


def unpacked(data: bytes) -> Record:
    """The inverse of `packed`."""
    return tuple(_decode(data))


def digest_of(record: Record) -> int:
    """128 bits of *record*; other records have others."""
    return int.from_bytes(blake2b(packed(record), digest_size=16).digest())


def size_of(record: Record) -> int:
    """About how many bytes *record* has."""
    return 16 * len(record) + sum(len(each) for each in record if isinstance(each, str | bytes))
