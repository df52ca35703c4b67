"""Challenges of servers: what ``WWW-Authenticate`` says.

Source: RFC 9110, 11.6.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

_WORD: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_BETWEEN: Final = re.compile(r"[\s,]*")
_PARAMETER: Final = re.compile(rf'({_WORD})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|({_WORD}))')
_SCHEME: Final = re.compile(rf"({_WORD})(?:[ \t]+[A-Za-z0-9._~+/-]+=*(?=[ \t]*(?:,|$)))?")
"""A scheme, perhaps with a text of its own in place of parameters."""
_LONGEST: Final = 8_192


@dataclass(frozen=True, slots=True)
class Challenge:
    """One way in which a server wants to be convinced."""

    scheme: str
    """Lower case."""
    parameters: dict[str, str] = field(default_factory=dict)
    """Names in lower case."""


def challenges(headers: Iterable[str]) -> Iterator[Challenge]:
    """Yield the challenges in *headers*, in their order; what is no challenge ends its header."""
    for header in headers:
        yield from _in_one(header[:_LONGEST])


def _in_one(header: str) -> Iterator[Challenge]:
    current: Challenge | None = None
    position = 0
    while True:
        position = _end(_BETWEEN.match(header, position))
        parameter = _PARAMETER.match(header, position)
        if parameter is not None and current is not None:
            name, quoted, plain = parameter.groups()
            value = plain if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
            current.parameters.setdefault(name.lower(), value)
            position = parameter.end()
            continue
        if current is not None:
            yield current
        scheme = _SCHEME.match(header, position)
        if scheme is None:
            return
        current, position = Challenge(scheme[1].lower()), scheme.end()


def _end(found: re.Match[str] | None) -> int:
    return 0 if found is None else found.end()
