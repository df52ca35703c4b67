"""Strict JSON (RFC 8259, with RFC 7493's demands): no duplicate members, no NaN, no lone surrogates."""

import json
import math
import re
from typing import NoReturn

from workflow_service.domain.bounds import beyond
from workflow_service.domain.definition.limits import DefinitionLimits
from workflow_service.domain.definition.numbers import NumberOutOfRange, whole_number
from workflow_service.domain.definition.unreadable import DocumentTooLarge, DocumentUnreadable
from workflow_service.domain.expressions import JsonValue

_TOKENS = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[\]{},]', re.DOTALL)
_SURROGATE = re.compile("[\ud800-\udfff]")
_SHOWN = 60


def read_json(text: str, limits: DefinitionLimits) -> JsonValue:
    """Read one JSON text.

    Raises:
        DocumentUnreadable: it is not well-formed, or deeper than the limit.
        DocumentTooLarge: it has more values than the limit.
    """
    _measure(text, limits)
    try:
        value: JsonValue = json.loads(
            text,
            object_pairs_hook=lambda pairs: _object(pairs, limits.key_length),
            parse_constant=_no_constant,
            parse_int=whole_number,
            parse_float=_real_number,
        )
    except json.JSONDecodeError as exc:
        raise DocumentUnreadable(_sentence(exc.msg), line=exc.lineno, column=exc.colno) from exc
    except NumberOutOfRange as exc:
        raise DocumentUnreadable(str(exc)) from exc
    _check_strings(value)
    return value


def _measure(text: str, limits: DefinitionLimits) -> None:
    """Refuse what is too deep or has too many values before anything is built of it."""
    depth, values = 0, 1
    for token in _TOKENS.finditer(text):
        match token.group()[0]:
            case "[" | "{":
                depth += 1
                values += 1
                if depth > limits.depth:
                    line = text.count("\n", 0, token.start()) + 1
                    column = token.start() - text.rfind("\n", 0, token.start())
                    reason = beyond(
                        f"it is nested more than {limits.depth} levels deep", "definition_depth"
                    )
                    raise DocumentUnreadable(reason, line=line, column=column)
            case "]" | "}":
                depth -= 1
            case ",":
                values += 1
            case _:
                pass
    if values > limits.values:
        told = f"a definition may have at most {limits.values} values"
        raise DocumentTooLarge(beyond(told, "definition_values"))


def _object(pairs: list[tuple[str, JsonValue]], longest: int) -> dict[str, JsonValue]:
    result: dict[str, JsonValue] = {}
    for name, value in pairs:
        if name in result:
            raise DocumentUnreadable(f"the member {name[:_SHOWN]!r} is there twice in one object")
        if len(name) > longest:
            raise DocumentUnreadable(f"the name of a member may have at most {longest} characters")
        _refuse_surrogates(name)
        _check_strings(value)
        result[name] = value
    return result


def _check_strings(value: JsonValue) -> None:
    # Objects have checked themselves when they were built; arrays are flattened here.
    waiting = [value]
    while waiting:
        match waiting.pop():
            case str(text):
                _refuse_surrogates(text)
            case list(items):
                waiting.extend(items)
            case _:
                pass


def _refuse_surrogates(text: str) -> None:
    if not text.isascii() and _SURROGATE.search(text):
        raise DocumentUnreadable("a string has half of a surrogate pair (\\ud800 … \\udfff)")


def _no_constant(name: str) -> NoReturn:
    raise DocumentUnreadable(f"{name} is not a JSON number")


def _real_number(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise DocumentUnreadable(f"the number {digits[:_SHOWN]} is too large")
    return value


def _sentence(message: str) -> str:
    return message[:1].lower() + message[1:]
