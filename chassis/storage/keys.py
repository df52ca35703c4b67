"""Keys of documents that are made of several texts."""

from __future__ import annotations

import msgspec

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(tuple[str, ...]).decode


def key_of(*parts: str) -> str:
    """Return one text for *parts*; other parts never have the same."""
    return _encode(parts).decode()


def parts_of(key: str) -> tuple[str, ...]:
    """Return what *key* was made of."""
    return _decode(key)
