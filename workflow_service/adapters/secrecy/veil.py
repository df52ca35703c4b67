"""What comes back from a call, without the values that went into it."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple
from urllib.parse import quote, quote_plus

import msgspec

from workflow_service.domain.execution.effects import Failed, Outcome, Succeeded
from workflow_service.domain.execution.problem import Problem
from workflow_service.domain.expressions import JsonValue
from workflow_service.domain.secret_markers import MASK

SHORTEST: Final = 6
"""Characters: what is shorter would be found everywhere, and is not looked for."""

_LONG_TARGET: Final = 12
"""Characters from which on the path and query of an address are no common word."""
_AROUND: Final = r"[A-Za-z0-9+/_-]{0,2}"
"""In base64 the neighbours of a value have some bits of its ends."""
_ESCAPES: Final = re.compile(r"%[0-9A-F]{2}")
_encode = msgspec.json.Encoder().encode


class _Needle(NamedTuple):
    """What is looked for."""

    text: str
    base64: bool = False


class Veil:
    """Puts ``***`` over the values of secrets, also when they come back in one of the common encodings."""

    def __init__(self, values: Iterable[JsonValue]) -> None:
        texts = {
            part
            for value in values
            for text in _leaves(value)
            for part in _telling_parts(text)
            if len(part) >= SHORTEST
        }
        needles = {needle for text in texts for needle in _needles(text)}
        # The longest first, so that no piece of a longer one is left.
        self._needles = sorted(
            (each for each in needles if len(each.text) >= SHORTEST),
            key=lambda each: len(each.text),
            reverse=True,
        )

    def over(self, outcome: Outcome) -> Outcome:
        """Return *outcome* as histories may have it."""
        match outcome:
            case Succeeded(output):
                return Succeeded(self.over_value(output))
            case Failed(problem):
                return Failed(self._over_problem(problem))

    def over_value(self, value: JsonValue) -> JsonValue:
        """Return *value* without secrets; nearly always there are none, which is found out quickly."""
        text = _encode(value).decode("utf-8", "surrogatepass")
        found = [each for each in self._needles if each.text in text or _in_json(each.text) in text]
        return _without(value, found) if found else value

    def over_text(self, text: str) -> str:
        """Return *text* without secrets."""
        return _masked(text, self._needles)

    def _over_problem(self, problem: Problem) -> Problem:
        def hidden(text: str | None) -> str | None:
            return None if text is None else self.over_text(text)

        return msgspec.structs.replace(
            problem,
            type=self.over_text(problem.type),
            title=hidden(problem.title),
            detail=hidden(problem.detail),
            instance=hidden(problem.instance),
        )


def _leaves(value: JsonValue) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for member in value.values():
                yield from _leaves(member)
        case list():
            for item in value:
                yield from _leaves(item)
        case _:
            return


def _telling_parts(text: str) -> Iterator[str]:
    """Yield *text* and, of an address, what a server calls it by."""
    yield text
    if text.startswith(("https://", "http://")):
        target = "/" + text.partition("://")[2].partition("/")[2]
        if len(target) >= _LONG_TARGET:
            yield target


def _needles(text: str) -> Iterator[_Needle]:
    yield from map(_Needle, _spellings(text))
    for spelling in _in_base64(text.encode("utf-8", "surrogatepass")):
        yield _Needle(spelling, base64=True)


def _spellings(text: str) -> Iterator[str]:
    """Yield how *text* may look in an answer: as it is, or quoted for JSON, URIs, HTML, or in hexadecimal."""
    yield text
    yield _in_json(text)
    yield json.dumps(text)[1:-1]
    yield html.escape(text)
    for quoted in (quote(text, safe=""), quote(text), quote_plus(text)):
        yield quoted
        yield _ESCAPES.sub(lambda found: found[0].lower(), quoted)
    data = text.encode("utf-8", "surrogatepass")
    yield from (data.hex(), data.hex().upper())


def _in_base64(data: bytes) -> Iterator[str]:
    """Yield what *data* comes to wherever it stands in a longer text: three positions, without the ends that others share."""
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + data).decode().rstrip("=")
        first = -(-before * 8 // 6)
        last = (before + len(data)) * 8 // 6
        inner = encoded[first:last]
        yield inner
        yield inner.replace("+", "-").replace("/", "_")


def _in_json(text: str) -> str:
    return _encode(text).decode()[1:-1]


def _without(value: JsonValue, needles: list[_Needle]) -> JsonValue:
    match value:
        case str():
            return _masked(value, needles)
        case dict():
            return {
                _masked(name, needles): _without(member, needles) for name, member in value.items()
            }
        case list():
            return [_without(item, needles) for item in value]
        case bool() | None:
            return value
        case int() | float():
            text = _encode(value).decode()
            return MASK if _Needle(text) in needles else value


def _masked(text: str, needles: list[_Needle]) -> str:
    for needle in needles:
        if needle.text not in text:
            continue
        if needle.base64:
            text = re.sub(f"{_AROUND}{re.escape(needle.text)}{_AROUND}={{0,2}}", MASK, text)
        else:
            text = text.replace(needle.text, MASK)
    return text
