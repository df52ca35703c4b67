"""Puts values back where they were taken out."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable
from typing import Any, TypeAlias

import msgspec

from chassis.errors import Internal
from workflow_service.adapters.payloads.references import Path, Reference, decode_references
from workflow_service.domain.expressions import JsonValue

Fetch: TypeAlias = Callable[[str], JsonValue]
"""Returns the value of a digest; the same object each time, so that what was shared stays shared."""

_decoder: msgspec.json.Decoder[JsonValue] = msgspec.json.Decoder()


class DamagedPayload(Internal):
    """A large value is not in the store, or is not what it was when it was stored."""


def opened(digest: str, data: bytes | None) -> JsonValue:
    """Return the value that *data* are the JSON of.

    Raises:
        DamagedPayload: there are none, or they do not have that digest.
    """
    if data is None:
        raise DamagedPayload(f"the store has lost the value {digest}")
    if hashlib.sha256(data).hexdigest() != digest:
        raise DamagedPayload(f"the store has changed the value {digest}")
    return _decoder.decode(data)


class TakenOut:
    """What was taken out of one document."""

    def __init__(self, references: bytes, fetch: Fetch) -> None:
        self._references = decode_references(references)
        self._fetch = fetch

    def into(self, document: Any) -> Any:
        """Return *document* with everything back in its place; it is changed for that."""
        for reference in self._references:
            document = self._put(document, reference.path, reference)
        return document

    @property
    def size(self) -> int:
        """Bytes of JSON of what was taken out."""
        return sum(reference.size for reference in self._references)

    def by_item(self) -> dict[int, TakenOut]:
        """Return the same for each item of a document that is a list, by position."""
        groups: defaultdict[int, list[Reference]] = defaultdict(list)
        for reference in self._references:
            first, *rest = reference.path
            groups[int(first)].append(Reference(tuple(rest), reference.digest, reference.size))
        return {position: self._of(group) for position, group in groups.items()}

    def _of(self, references: list[Reference]) -> TakenOut:
        other = TakenOut(b"[]", self._fetch)
        other._references = references
        return other

    def _put(self, document: Any, path: Path, what: Reference) -> Any:
        value = self._fetch(what.digest)
        if not path:
            return value
        *way, last = path
        node = document
        for step in way:
            # A member that was left out since nothing but its large part told it from its default.
            node = node.setdefault(step, {}) if isinstance(node, dict) else node[step]
        node[last] = value
        return document
