"""What the service keeps, told as records that every store can make and take: each table is a kind, see `chassis.storage.copying`."""

from collections.abc import Mapping, Sequence
from typing import Final

from auth_service.adapters.sqlite.schema import MIGRATIONS
from chassis.storage.copying.records import Kind
from chassis.storage.copying.schemas import kinds_of
from chassis.storage.copying.tables import Rows, Shelf, put_sequences

SEQUENCES: Final = Kind("sequences", ("name", "last"), always=True)
"""The last positions that were given out in the outbox and in the feed of revocations."""
COUNTED: Final = ("outbox", "revocation_feed")
TABLES: Final[Mapping[str, Kind]] = kinds_of(MIGRATIONS)

_SEQUENCES: Final = """(
    SELECT column1 AS name,
        COALESCE((SELECT MAX(seq) FROM sqlite_sequence s WHERE s.name = column1), 0) AS last
    FROM (VALUES ('outbox'), ('revocation_feed'))
)"""
_SOURCES: Final = {
    # A book that says nothing is not one in every store.
    "role_books": "(SELECT * FROM role_books WHERE version > 0)"
}

SHELVES: Final[Sequence[Shelf]] = (
    Rows(SEQUENCES, _SEQUENCES, put_sequences),
    *(Rows(kind, _SOURCES.get(name, "")) for name, kind in TABLES.items()),
)
"""In the order in which they are written: that in which the tables were made, as one refers to earlier ones."""
