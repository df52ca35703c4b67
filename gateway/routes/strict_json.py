"""JSON as RFC 8259 means it, and not what lenient parsers make of it.

Refused, because two parsers would read it differently or because it is made to hurt: repeated
keys, NaN and Infinity, numbers beyond a double's range, lone surrogates, invalid UTF-8, byte order
marks, and more than 64 levels. What was checked is then read with msgspec.
"""

import json
import math
import re
from itertools import accumulate
from typing import Any, Final, NoReturn

from chassis.errors import Malformed

MAX_DEPTH: Final = 64
# The last quote is optional: else a body of unclosed quotes would be tried from each of them.
_STRINGS: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_SURROGATE: Final = re.compile(rb"\\u[dD][89a-fA-F]")
_OPENING: Final = frozenset(b"[{")
_NO_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))
_STEP: Final = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}


class JsonRefused(Malformed):
    """The body is not JSON that everybody reads in the same way."""


def check(body: bytes) -> None:
    """Refuse *body* unless it is strict JSON.

    Raises:
        JsonRefused: saying why.
    """
    if _too_deep(body):
        raise JsonRefused(f"The JSON is nested deeper than {MAX_DEPTH} levels")
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise JsonRefused("The JSON is not valid UTF-8") from None
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as exc:
        place = f"line {exc.lineno}, column {exc.colno}"
        raise JsonRefused(f"The body is not valid JSON: {exc.msg} ({place})") from None
    except (ValueError, RecursionError):
        # int() refuses thousands of digits, and says so for Python's developers.
        raise JsonRefused("The body is not valid JSON: a number is too long") from None
    if _SURROGATE.search(body) and _has_lone_surrogate(value):
        raise JsonRefused("The JSON has half of a surrogate pair in a string")


def _too_deep(body: bytes) -> bool:
    # Most bodies do not even have that many brackets.
    if body.count(b"[") + body.count(b"{") <= MAX_DEPTH:
        return False
    brackets = _STRINGS.sub(b"", body).translate(None, _NO_BRACKETS)
    return max(accumulate(map(_STEP.__getitem__, brackets)), default=0) > MAX_DEPTH


def _has_lone_surrogate(value: object) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                shown = key.encode(errors="replace").decode()[:64]
                raise JsonRefused(f"The JSON names the key {shown!r} twice in one object")
            seen.add(key)
    return members


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise JsonRefused("The JSON has a number beyond the range of a double")
    return number


def _no_constant(name: str) -> NoReturn:
    raise JsonRefused(f"The JSON has {name}, which is not a number of JSON")


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_unique, parse_float=_finite, parse_constant=_no_constant
)
