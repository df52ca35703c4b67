"""Whether an event is what a filter wants."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypeAlias

import msgspec

from workflow_service.domain.events.cloud_event import ReceivedEvent, text_of
from workflow_service.domain.events.model import (
    EventFilter,
    FilterPlace,
    Fits,
    Holds,
    Items,
    Members,
    Same,
    SameMoment,
    Test,
)
from workflow_service.domain.expressions import Expression, ExpressionFailed, JsonValue

Evaluate: TypeAlias = Callable[[Expression, JsonValue], JsonValue]
"""Evaluates an expression on a document, with the arguments of whoever waits."""

_encode = msgspec.json.Encoder().encode


def matched(
    wanted: EventFilter,
    place: FilterPlace,
    event: ReceivedEvent,
    fixed: Mapping[str, str],
    keys: Mapping[str, str],
    evaluate: Evaluate,
) -> dict[str, str] | None:
    """Return the correlation keys that *event* has, or None when *wanted* does not let it through.

    An expression that fails on an event does not let it through: what strangers send must not fault anybody.

    Args:
        wanted: the filter.
        place: where the strategy has it.
        event: the event.
        fixed: what was evaluated when waiting began.
        keys: what is expected of correlations so far.
        evaluate: evaluates expressions.
    """
    try:
        if not all(_passes(event, name, test, evaluate) for name, test in wanted.tests):
            return None
        for name, _ in wanted.fixed:
            if text_of(event.attribute(name)) != fixed.get(place.key(name)):
                return None
        found = correlated(wanted, event, evaluate)
    except ExpressionFailed:
        return None
    if found is None or any(keys.get(name, value) != value for name, value in found.items()):
        return None
    return found


def correlated(
    wanted: EventFilter, event: ReceivedEvent, evaluate: Evaluate
) -> dict[str, str] | None:
    """Return the correlation values of *event*; None when it lacks one.

    Raises:
        ExpressionFailed: an expression cannot be evaluated on it.
    """
    found: dict[str, str] = {}
    for correlation in wanted.correlations:
        value = text_of(evaluate(correlation.source, event.envelope))
        if value is None:
            return None
        found[correlation.name] = value
    return found


def index_key(parts: list[str]) -> str:
    """Return what finds those who wait for an event with these values; empty without values."""
    if not parts:
        return ""
    return hashlib.sha256(_encode(parts)).hexdigest()[:32]


def indexed(wanted: EventFilter) -> bool:
    """Whether the correlation values of an event are the same for all who wait."""
    return not any(correlation.source.variables for correlation in wanted.correlations)


def key_of_waiting(
    wanted: EventFilter, place: FilterPlace, fixed: Mapping[str, str], keys: Mapping[str, str]
) -> str:
    """Return the key by which somebody who waits is found; empty when only a closer look can tell."""
    parts = [fixed.get(place.key(name)) for name, _ in wanted.fixed]
    if indexed(wanted):
        parts += [keys.get(correlation.name) for correlation in wanted.correlations]
    known = [part for part in parts if part is not None]
    return index_key(known) if len(known) == len(parts) else ""


def key_of_event(wanted: EventFilter, event: ReceivedEvent, evaluate: Evaluate) -> str | None:
    """Return the key of those who wait for *event* by this filter, or None when *wanted* rules it out for everybody.

    Expressions that read what only those who wait know are left for them to evaluate.
    """
    try:
        tests = (each for each in wanted.tests if not _depends(each[1]))
        if not all(_passes(event, name, test, evaluate) for name, test in tests):
            return None
        parts = [text_of(event.attribute(name)) for name, _ in wanted.fixed]
        if indexed(wanted):
            found = correlated(wanted, event, evaluate)
            if found is None:
                return None
            parts += [found[correlation.name] for correlation in wanted.correlations]
    except ExpressionFailed:
        return None
    present = [part for part in parts if part is not None]
    return index_key(present) if len(present) == len(parts) else None


def _depends(test: Test) -> bool:
    match test:
        case Holds(expression):
            return bool(expression.variables)
        case Members(members):
            return any(_depends(inner) for _, inner in members)
        case Items(items):
            return any(_depends(inner) for inner in items)
        case _:
            return False


def _passes(event: ReceivedEvent, name: str, test: Test, evaluate: Evaluate) -> bool:
    if name == "data":
        return _data_passes(event.attribute("data"), test, evaluate)
    value = event.attributes.get(name)
    match test:
        case Same(expected):
            return text_of(value) == text_of(expected)
        case SameMoment(moment):
            return _moment(value) == moment
        case _:
            return _data_passes(value, test, evaluate)


def _data_passes(value: JsonValue, test: Test, evaluate: Evaluate) -> bool:
    match test:
        case Same(expected):
            return same(value, expected)
        case SameMoment(moment):
            return _moment(value) == moment
        case Fits(text, pattern):
            return isinstance(value, str) and (value == text or pattern.fits(value))
        case Holds(expression):
            return _holds(value, evaluate(expression, value))
        case Members(members):
            return isinstance(value, dict) and all(
                name in value and _data_passes(value[name], inner, evaluate)
                for name, inner in members
            )
        case Items(items):
            return (
                isinstance(value, list)
                and len(value) == len(items)
                and all(map(_data_passes, value, items, [evaluate] * len(items)))
            )


def _holds(value: JsonValue, result: JsonValue) -> bool:
    """A truth says it all; anything else is what is expected."""
    if isinstance(result, bool):
        return result
    return result is not None and (value == result or text_of(value) == text_of(result))


def same(one: JsonValue, other: JsonValue) -> bool:
    """Whether two JSON values are equal; Python takes true for 1."""
    match one, other:
        case dict(), dict():
            return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
        case list(), list():
            return len(one) == len(other) and all(map(same, one, other))
        case _:
            return isinstance(one, bool) == isinstance(other, bool) and one == other


def _moment(value: JsonValue) -> datetime | None:
    try:
        moment = msgspec.convert(value, datetime)
    except msgspec.ValidationError:
        return None
    return moment if moment.tzinfo is not None else None
