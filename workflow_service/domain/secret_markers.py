"""Markers: texts that stand for secrets wherever decisions, histories and states could see them.

A marker names a secret and a leaf of its structure, for one execution, and proves it with a MAC: nobody who does not
have the key can make one up, and one of another execution means nothing. It is made of characters that stay
as they are in URIs, JSON and headers, so that it can be joined into longer texts.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import msgspec

from workflow_service.domain.expressions import JsonValue

MASK: Final = "***"

_BEGIN: Final = "~aw-secret."
_MARKER: Final = re.compile(r"~aw-secret\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]{22})~", re.ASCII)
_IN_BYTES: Final = re.compile(rb"~aw-secret\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{22}~")
_MAC_BYTES: Final = 16
_encode = msgspec.json.Encoder().encode


class Leaf(msgspec.Struct, frozen=True, array_like=True):
    """What a marker stands for."""

    secret: str
    path: tuple[str | int, ...]
    """Members and positions that lead to it; none for a secret that is one text."""


_leaves: Final = msgspec.json.Decoder(Leaf)


@dataclass(frozen=True, slots=True)
class Markers:
    """Makes and reads the markers of one execution."""

    key: bytes
    execution: str

    def of(self, secret: str, value: JsonValue) -> JsonValue:
        """Return the structure of a secret's *value* with a marker in place of every leaf."""
        return self._of(Leaf(secret, ()), value)

    def replaced(self, text: str, value_of: Callable[[Leaf, int], str]) -> str:
        """Return *text* with each of this execution's markers replaced; *value_of* is told where it stands.

        Whatever only looks like a marker stays as it is.
        """
        if _BEGIN not in text:
            return text

        def replacement(found: re.Match[str]) -> str:
            leaf = self._leaf(found)
            return found[0] if leaf is None else value_of(leaf, found.start())

        return _MARKER.sub(replacement, text)

    def _of(self, leaf: Leaf, value: JsonValue) -> JsonValue:
        match value:
            case dict():
                return {
                    name: self._of(Leaf(leaf.secret, (*leaf.path, name)), member)
                    for name, member in value.items()
                }
            case list():
                return [
                    self._of(Leaf(leaf.secret, (*leaf.path, at)), item)
                    for at, item in enumerate(value)
                ]
            case _:
                return self._marker(leaf)

    def _marker(self, leaf: Leaf) -> str:
        payload = _text(_encode(leaf))
        return f"{_BEGIN}{payload}.{self._mac(payload)}~"

    def _leaf(self, found: re.Match[str]) -> Leaf | None:
        payload = found[1]
        if not hmac.compare_digest(found[2], self._mac(payload)):
            return None
        return _leaves.decode(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))

    def _mac(self, payload: str) -> str:
        message = _encode((self.execution, payload))
        return _text(hmac.digest(self.key, message, hashlib.sha256)[:_MAC_BYTES])


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def masked_text(text: str) -> str:
    """Return *text* with ``***`` in place of everything that looks like a marker."""
    return _MARKER.sub(MASK, text) if _BEGIN in text else text


def masked_json(data: bytes) -> bytes:
    """Return *data*, encoded JSON, with ``***`` in place of everything that looks like a marker."""
    return _IN_BYTES.sub(MASK.encode(), data) if _BEGIN.encode() in data else data
