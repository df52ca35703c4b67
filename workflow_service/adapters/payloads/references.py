"""Where a value was taken out, and under which name it is kept."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

import msgspec

Path: TypeAlias = tuple[str | int, ...]
"""Members and positions that lead to a value, from the outermost; empty: the value is all there is."""


class Reference(msgspec.Struct, frozen=True, array_like=True):
    """One value that was taken out of a document."""

    path: Path
    digest: str
    """SHA-256 of the value's JSON, in hexadecimal."""
    size: int
    """Bytes of that JSON."""

    def below(self, path: Path) -> Reference:
        """Return the same of a document in which this one's stands at *path*."""
        return Reference(path + self.path, self.digest, self.size)


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(list[Reference])


def encode_references(references: Iterable[Reference]) -> bytes | None:
    """Return *references* as a column has them; None if there are none."""
    found = list(references)
    return _encoder.encode(found) if found else None


def decode_references(data: bytes) -> list[Reference]:
    """Return the references of a column."""
    return _decoder.decode(data)


def size_of(data: bytes | None) -> int:
    """Return how many bytes the values have that a column refers to."""
    return 0 if data is None else sum(reference.size for reference in _decoder.decode(data))
