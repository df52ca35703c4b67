"""Passwords that guessers try first, known by 48 bits of their SHA-256 each, in one sorted file.

The file is compact, quickly read, and holds no password in the clear. Of all others one in some six
thousand million is taken for one of them. It is made from lists with one password a line; from which
ones, and how, is in `docs/dependencies.md`.
"""

import hashlib
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from functools import cache
from importlib import resources
from typing import Final

_BYTES: Final = 6
FILE: Final = "well_known_passwords.bin"


def is_well_known(password: str) -> bool:
    """Whether guessers try *password* first; case does not matter."""
    known, wanted = _known(), _mark(password)
    place = bisect_left(known, wanted)
    return place < len(known) and known[place] == wanted


class _Marks(Sequence[bytes]):
    """The marks in the file, without an object for each."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def __len__(self) -> int:
        return len(self._content) // _BYTES

    def __getitem__(self, place: int) -> bytes:  # type: ignore[override]
        return self._content[place * _BYTES : (place + 1) * _BYTES]


@cache
def _known() -> _Marks:
    return _Marks(resources.files("auth_service.domain").joinpath(FILE).read_bytes())


def _mark(password: str) -> bytes:
    return hashlib.sha256(password.casefold().encode("utf-8", "surrogatepass")).digest()[:_BYTES]


def compiled(passwords: Iterable[str]) -> bytes:
    """What the file is to hold for *passwords*."""
    return b"".join(sorted({_mark(password) for password in passwords if password}))
