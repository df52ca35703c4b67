"""Takes large values out of what is about to be stored."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final, cast

import msgspec

from workflow_service.adapters.payloads.references import Path, Reference
from workflow_service.domain.expressions import JsonValue

WIDEST: Final = 64
DEEPEST: Final = 4
"""How many members a value may have, and how many values it may lie in, to be looked into for large parts.

Parts are worth looking for, because a small wrapper often changes around a large value that does not. Bounded, since a
value is encoded once more for each that it lies in.
"""

_LONGEST_ESCAPE: Final = 6
"""Bytes that one character of a text has at the most in JSON."""
_SMALL: Final = (type(None), bool, int, float, datetime, msgspec.UnsetType)

_encode = msgspec.json.Encoder().encode


class Hollow(msgspec.Struct, frozen=True):
    """A JSON value, and what it is without its large parts."""

    value: JsonValue
    """Kept, so that its identity stays its own."""
    shell: JsonValue
    parts: tuple[Reference, ...]

    @property
    def size(self) -> int:
        """Bytes of the parts."""
        return sum(part.size for part in self.parts)


class Splitter:
    """Splits all that is stored in one commit: a value that occurs again, as the same object, is not encoded again.

    Args:
        threshold: bytes of JSON above which a value is taken out.
        known: large values of earlier commits of the same execution, by identity.
    """

    def __init__(self, threshold: int, known: Mapping[int, Hollow]) -> None:
        self._threshold = threshold
        self._known = known
        self._seen: dict[int, Hollow] = {}
        self._encoded: dict[str, bytes] = {}

    def split(self, document: object, place: Path = ()) -> tuple[object, list[Reference]]:
        """Return *document*, which stands at *place*, without its large values, and these."""
        references: list[Reference] = []
        return self._without(document, place, references), references

    @property
    def large(self) -> dict[int, Hollow]:
        """The large values seen, by identity."""
        return {key: hollow for key, hollow in self._seen.items() if hollow.parts}

    def payload(self, digest: str) -> bytes | None:
        """Return the JSON of a value that was taken out; None for one of an earlier commit."""
        return self._encoded.get(digest)

    # ------------------------------------------------------------ structures of ours

    def _without(self, node: object, path: Path, found: list[Reference]) -> object:
        if isinstance(node, msgspec.Struct):
            changes = dict(self._changed(_members(node), path, found))
            return msgspec.structs.replace(node, **changes) if changes else node
        if isinstance(node, dict):
            if _has_structures(node.values()):
                members = ((name, str(name), value) for name, value in node.items())
                return node | dict(self._changed(members, path, found))
        elif isinstance(node, list | tuple) and _has_structures(node):
            return [self._without(item, (*path, n), found) for n, item in enumerate(node)]
        hollow = self._hollow(cast("JsonValue", node), 0)
        if hollow is None:
            return node
        found += [part.below(path) for part in hollow.parts]
        return hollow.shell

    def _changed(
        self, members: Iterable[tuple[Any, str, object]], path: Path, found: list[Reference]
    ) -> Iterable[tuple[Any, object]]:
        """Yield what *members* are without their large values, by name, where that is not what they were."""
        for name, place, value in members:
            if isinstance(value, _SMALL):
                continue
            changed = self._without(value, (*path, place), found)
            if changed is not value:
                yield name, changed

    # ------------------------------------------------------------ JSON

    def _hollow(self, value: JsonValue, depth: int) -> Hollow | None:
        """Return *value* without its large parts; None when it is not large itself."""
        if self._is_clearly_small(value):
            return None
        hollow = self._seen.get(id(value)) or self._known.get(id(value))
        if hollow is None:
            hollow = self._made(value, depth)
        self._seen[id(value)] = hollow
        return hollow if hollow.parts else None

    def _is_clearly_small(self, value: JsonValue) -> bool:
        if isinstance(value, str):
            return len(value) * _LONGEST_ESCAPE < self._threshold
        return not value or not isinstance(value, dict | list)

    def _made(self, value: JsonValue, depth: int) -> Hollow:
        # Parts first: around one that is known already, nothing large is encoded again.
        if depth < DEEPEST and isinstance(value, dict | list) and len(value) <= WIDEST:
            hollow = self._in_parts(value, depth)
            if hollow.parts and len(_encode(hollow.shell)) <= self._threshold:
                return hollow
        data = _encode(value)
        if len(data) <= self._threshold:
            return Hollow(value, value, ())
        digest = hashlib.sha256(data).hexdigest()
        self._encoded[digest] = data
        return Hollow(value, None, (Reference((), digest, len(data)),))

    def _in_parts(self, value: dict[str, JsonValue] | list[JsonValue], depth: int) -> Hollow:
        parts: list[Reference] = []
        shell: Any = value.copy()
        for place, item in value.items() if isinstance(value, dict) else enumerate(value):
            hollow = self._hollow(item, depth + 1)
            if hollow is not None:
                shell[place] = hollow.shell
                # The branches of a fork are members by number, whose names in JSON are texts.
                name = str(place) if isinstance(value, dict) else place
                parts += [part.below((name,)) for part in hollow.parts]
        return Hollow(value, shell, tuple(parts))


def _members(structure: msgspec.Struct) -> Iterable[tuple[str, str, object]]:
    """Yield name, name in JSON and value of each field; of those that are arrays in JSON, which are small, none."""
    if structure.__struct_config__.array_like:
        return ()
    names = zip(structure.__struct_fields__, structure.__struct_encode_fields__, strict=True)
    return ((name, place, getattr(structure, name)) for name, place in names)


def _has_structures(items: Iterable[object]) -> bool:
    return isinstance(next(iter(items), None), msgspec.Struct)
