"""Commits as they are stored: small ones as one piece of JSON, large values of the others apart."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

import msgspec

from workflow_service.adapters.payloads.references import Reference, encode_references
from workflow_service.adapters.payloads.splitting import Hollow, Splitter
from workflow_service.application.ports import Commit

THRESHOLD: Final = 64 * 1024
"""Bytes of JSON above which a value is stored apart, unless a setting says otherwise."""

REMEMBERED: Final = 32 * 1024 * 1024
"""Bytes of large values, as JSON, whose addresses are remembered from one commit of an execution to the next."""

CHUNK: Final = 8
"""How many events are encoded before looking whether large values are among them."""

Column: TypeAlias = tuple[bytes, bytes | None]
"""JSON, and the references to what was taken out of it; None when nothing was."""
Payload: TypeAlias = tuple[str, bytes]
"""Digest and JSON of a value."""

_NOTHING: Final[Mapping[int, Hollow]] = {}
_encode = msgspec.json.Encoder().encode


class PayloadCodec:
    """Encodes commits, and remembers large values that executions have stored already.

    Args:
        threshold: bytes of JSON above which a value is stored apart.
    """

    def __init__(self, threshold: int = THRESHOLD) -> None:
        self._threshold = threshold
        self._known: OrderedDict[str, dict[int, Hollow]] = OrderedDict()
        self._size = 0

    def encoding(self, execution: str) -> CommitEncoding:
        """Return what encodes one commit of *execution*."""
        known = self._known.get(execution, _NOTHING) if self._known else _NOTHING
        return CommitEncoding(self._threshold, known)

    def durable(self, commit: Commit, encoding: CommitEncoding) -> None:
        """Say that *commit* is stored: its large values need not be sent to the store again."""
        if encoding.splitter is None:
            return
        before = self._forget(commit.execution)
        if commit.summary.ended_at is not None:
            return
        seen = encoding.stored
        # A snapshot has all that still counts; what it does not have is not worth the memory.
        known = seen if commit.snapshot is not None else before | seen
        if known:
            self._known[commit.execution] = known
            self._size += _size_of(known)
        while self._size > REMEMBERED:
            _ = self._forget(next(iter(self._known)))

    def _forget(self, execution: str) -> dict[int, Hollow]:
        known = self._known.pop(execution, {})
        self._size -= _size_of(known)
        return known


def _size_of(known: Mapping[int, Hollow]) -> int:
    return sum(hollow.size for hollow in known.values())


class CommitEncoding:
    """Encodes the parts of one commit. Nothing is looked into until something is larger than the threshold."""

    __slots__ = ("_digests", "_known", "_threshold", "splitter")

    def __init__(self, threshold: int, known: Mapping[int, Hollow]) -> None:
        self._threshold = threshold
        self._known = known
        self._digests: set[str] | None = None
        self.splitter = Splitter(threshold, known) if known else None

    def encode(self, document: object) -> Column:
        """Return *document* as a column and its references."""
        if self.splitter is None:
            data = _encode(document)
            if len(data) <= self._threshold:
                return data, None
        rest, references = self._split().split(document)
        return _encode(rest), self._noted(references)

    def encode_list(self, items: Sequence[object]) -> Column:
        """Return *items* as ``encode`` does, also if there are many large ones, with few in memory at a time."""
        if len(items) <= CHUNK:
            return self.encode(items)
        pieces: list[bytes] = []
        found: list[Reference] = []
        suspicious = False
        for first in range(0, len(items), CHUNK):
            chunk = items[first : first + CHUNK]
            piece = b"" if suspicious else _encode(chunk)
            if suspicious or len(piece) > self._threshold:
                before = len(found)
                piece = self._piece(chunk, first, found)
                suspicious = len(found) > before
            pieces.append(piece[1:-1])
        return b"[" + b",".join(pieces) + b"]", self._noted(found)

    @property
    def payloads(self) -> list[Payload]:
        """What was taken out and is not known to be stored."""
        splitter = self.splitter
        if splitter is None or self._digests is None:
            return []
        found = ((digest, splitter.payload(digest)) for digest in sorted(self._digests))
        return [(digest, data) for digest, data in found if data is not None]

    @property
    def stored(self) -> dict[int, Hollow]:
        """The large values that are stored with this commit, or were before it, by identity."""
        if self.splitter is None or self._digests is None:
            return {}
        digests = self._digests
        return {
            key: hollow
            for key, hollow in self.splitter.large.items()
            if all(part.digest in digests for part in hollow.parts)
        }

    def _piece(self, chunk: Sequence[object], first: int, found: list[Reference]) -> bytes:
        rest: list[object] = []
        splitter = self._split()
        for position, item in enumerate(chunk, first):
            without, references = splitter.split(item, (position,))
            rest.append(without)
            found += references
        return _encode(rest)

    def _split(self) -> Splitter:
        if self.splitter is None:
            self.splitter = Splitter(self._threshold, self._known)
        return self.splitter

    def _noted(self, references: list[Reference]) -> bytes | None:
        if references:
            self._digests = self._digests or set()
            self._digests.update(reference.digest for reference in references)
        return encode_references(references)
