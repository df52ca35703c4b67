"""Comparing what was expected with what came: differences that tell where and what."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

import msgspec

from workflow_service.domain.expressions import JsonValue

_LONGEST: Final = 300
_WILD: Final = re.compile(r"\*|\{[^{}]*\}")


def shown(value: JsonValue) -> str:
    """A value as JSON in one line, cut where it is long."""
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def differences(expected: JsonValue, actual: JsonValue, at: str) -> Iterator[str]:
    """How *actual* is another value than *expected*, each difference with its place; none when they are equal."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        for name in [*expected, *(name for name in actual if name not in expected)]:
            yield from _member(expected, actual, name, f"{at}.{name}")
    elif isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        for number, (one, other) in enumerate(zip(expected, actual, strict=True)):
            yield from differences(one, other, f"{at}[{number}]")
    elif not _same(expected, actual):
        yield f"{at}: expected {shown(expected)}, got {shown(actual)}"


def missing(expected: JsonValue, actual: JsonValue, at: str) -> Iterator[str]:
    """As `differences`, but objects may have more members than expected, and texts may hold `*` for any text."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        for name, value in expected.items():
            if name in actual:
                yield from missing(value, actual[name], f"{at}.{name}")
            else:
                yield f"{at}.{name}: expected {shown(value)}, got nothing"
    elif isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        for number, (one, other) in enumerate(zip(expected, actual, strict=True)):
            yield from missing(one, other, f"{at}[{number}]")
    elif not _fits_text(expected, actual) and not _same(expected, actual):
        yield f"{at}: expected {shown(expected)}, got {shown(actual)}"


def fits(pattern: JsonValue, value: JsonValue) -> bool:
    """Whether *value* has everything that *pattern* has; texts may hold `*` or `{name}` for any text."""
    if isinstance(pattern, dict):
        if not isinstance(value, dict):
            return False
        return all(name in value and fits(part, value[name]) for name, part in pattern.items())
    if isinstance(pattern, str) and isinstance(value, str):
        return like(pattern, value)
    return _same(pattern, value)


def like(pattern: str, text: str) -> bool:
    """Whether *text* is *pattern*, in which `*` is any text and `{name}` any without a slash."""
    return _compiled(pattern).fullmatch(text) is not None


@lru_cache(1_024)
def _compiled(pattern: str) -> re.Pattern[str]:
    parts: list[str] = []
    end = 0
    for wild in _WILD.finditer(pattern):
        parts += [re.escape(pattern[end : wild.start()]), ".*" if wild[0] == "*" else "[^/]*"]
        end = wild.end()
    return re.compile("".join([*parts, re.escape(pattern[end:])]), re.DOTALL)


def _fits_text(expected: JsonValue, actual: JsonValue) -> bool:
    """Whether *actual* is the text *expected*, in which `*` is any text."""
    if not isinstance(expected, str) or not isinstance(actual, str):
        return False
    pattern = ".*".join(re.escape(part) for part in expected.split("*"))
    return re.fullmatch(pattern, actual, re.DOTALL) is not None


def _member(
    expected: dict[str, JsonValue], actual: dict[str, JsonValue], name: str, at: str
) -> Iterator[str]:
    if name not in actual:
        yield f"{at}: expected {shown(expected[name])}, got nothing"
    elif name not in expected:
        yield f"{at}: expected nothing, got {shown(actual[name])}"
    else:
        yield from differences(expected[name], actual[name], at)


def _same(one: JsonValue, other: JsonValue) -> bool:
    """Whether two values are the same JSON: 1 is 1.0, and neither is true."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return one == other
