"""What a secret may be called and what it may hold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from workflow_service.domain.expressions import JsonValue

NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", re.ASCII)
DEEPEST: Final = 16
"""Objects and arrays within each other in one secret."""


def problems_of(value: JsonValue) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the *value* of a secret, each with its JSON Pointer; no message shows the value."""
    if isinstance(value, str):
        if not value:
            yield "", "must not be empty"
    elif isinstance(value, dict):
        yield from _within(value, "", DEEPEST)
    else:
        yield "", "must be a text or an object"


def _within(value: JsonValue, pointer: str, depth: int) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict | list):
        if not value:
            yield pointer, "must not be empty"
        elif not depth:
            yield pointer, f"is nested deeper than {DEEPEST} levels"
        else:
            names = value.items() if isinstance(value, dict) else enumerate(value)
            for name, member in names:
                escaped = str(name).replace("~", "~0").replace("/", "~1")
                yield from _within(member, f"{pointer}/{escaped}", depth - 1)
    elif not isinstance(value, str):
        yield pointer, "must be a text: write numbers and truth values in quotes"
