"""Which events are wanted: strategies, filters and correlations, as ``listen`` and ``schedule.on`` have them.

Source: Open Workflow Specification, DSL reference, "Event Consumption Strategy", "Event Filter", "Event Properties",
"Correlation".
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final, Literal, cast

import msgspec

from workflow_service.domain.definition.building import Builder, Scope
from workflow_service.domain.definition.pointers import child
from workflow_service.domain.events.model import (
    ConsumptionStrategy,
    Correlation,
    EventFilter,
    Fits,
    Holds,
    Items,
    Members,
    Same,
    SameMoment,
    Test,
)
from workflow_service.domain.events.patterns import PatternUnusable, compile_pattern, is_pattern
from workflow_service.domain.expressions import (
    Expression,
    JsonValue,
    Template,
    expression_source,
    is_expression,
)

MOST_FILTERS: Final = 64
"""How many filters a strategy may have, those of its ``until`` included."""

_ATTRIBUTE: Final = re.compile(r"[a-z0-9]+", re.ASCII)
_OF_VARIABLES: Final = re.compile(
    r"\$[A-Za-z_]\w*(\.[A-Za-z_]\w*|\[(\d+|\"[^\"\\]*\")\])*", re.ASCII
)
_TOLD: Final = 80
_encode = msgspec.json.Encoder().encode


def read_strategy(
    builder: Builder,
    value: JsonValue,
    pointer: str,
    scope: Scope,
    until_scope: Scope | None = None,
) -> ConsumptionStrategy:
    """Read an event consumption strategy.

    Args:
        builder: the reading of the document.
        value: what is at *pointer*; its form has been checked.
        pointer: its place.
        scope: what expressions of filters see.
        until_scope: what the condition in ``until`` sees, if that is more.
    """
    strategy = cast("dict[str, JsonValue]", value)
    kind = _kind_of(strategy)
    filters = _read_filters(builder, strategy[kind], child(pointer, kind), scope)
    if kind == "any" and not filters:
        filters = (EventFilter(),)
    until: Expression | ConsumptionStrategy | None = None
    written, place = strategy.get("until"), child(pointer, "until")
    if kind == "any" and isinstance(written, str):
        until = builder.expression(written, place, until_scope or scope)
    elif kind == "any" and isinstance(written, dict):
        until = read_strategy(builder, written, place, scope)
    read = ConsumptionStrategy(kind, filters, until)
    _bounded(builder, read, pointer)
    return read


def _kind_of(strategy: dict[str, JsonValue]) -> Literal["one", "any", "all"]:
    if "one" in strategy:
        return "one"
    return "any" if "any" in strategy else "all"


def _bounded(builder: Builder, strategy: ConsumptionStrategy, pointer: str) -> None:
    ending = strategy.ending
    count = len(strategy.filters) + (0 if ending is None else len(ending.filters))
    if count > MOST_FILTERS:
        builder.problem(pointer, f"has {count} filters; it may have at most {MOST_FILTERS}")


def _read_filters(
    builder: Builder, written: JsonValue, pointer: str, scope: Scope
) -> tuple[EventFilter, ...]:
    if isinstance(written, list):
        places = [(each, child(pointer, index)) for index, each in enumerate(written)]
    else:
        places = [(written, pointer)]
    return tuple(
        read_filter(builder, each, place, scope) for each, place in places if isinstance(each, dict)
    )


def read_filter(
    builder: Builder, written: dict[str, JsonValue], pointer: str, scope: Scope
) -> EventFilter:
    """Read one event filter."""
    wanted = cast("dict[str, JsonValue]", written["with"])
    tests: list[tuple[str, Test]] = []
    fixed: list[tuple[str, Template]] = []
    for name, value in wanted.items():
        place = child(pointer, "with", name)
        if _ATTRIBUTE.fullmatch(name) is None:
            told = "names of CloudEvents attributes are lower-case letters and digits"
            builder.problem(place, told)
        elif name != "data" and isinstance(value, str) and _is_fixed(value):
            fixed.append((name, builder.template(value, place, scope)))
        else:
            tests.append((name, _read_test(builder, name, value, place, scope)))
    return EventFilter(
        tests=tuple(tests),
        fixed=tuple(fixed),
        correlations=_read_correlations(builder, written, child(pointer, "correlate"), scope),
        told=tuple((name, _told(value)) for name, value in wanted.items()),
    )


def _is_fixed(text: str) -> bool:
    """Whether *text* says what an attribute must be by variables alone, so that it is known beforehand."""
    if not is_expression(text):
        return "${" in text
    return _OF_VARIABLES.fullmatch(expression_source(text)) is not None


def _read_test(builder: Builder, name: str, value: JsonValue, pointer: str, scope: Scope) -> Test:
    match value:
        case str() if is_expression(value):
            return Holds(builder.expression(value, pointer, scope))
        case str() if name == "time":
            return _read_moment(builder, value, pointer)
        case str() if is_pattern(value):
            return _read_pattern(builder, value, pointer)
        case dict() if name == "data":
            return Members(
                tuple(
                    (each, _read_test(builder, name, inner, child(pointer, each), scope))
                    for each, inner in value.items()
                )
            )
        case list() if name == "data":
            return Items(
                tuple(
                    _read_test(builder, name, inner, child(pointer, index), scope)
                    for index, inner in enumerate(value)
                )
            )
        case _:
            return Same(value)


def _read_moment(builder: Builder, text: str, pointer: str) -> Test:
    try:
        moment = msgspec.convert(text, datetime)
    except msgspec.ValidationError:
        return _read_pattern(builder, text, pointer)
    if moment.tzinfo is None:
        builder.problem(pointer, "needs a time zone: Z, or an offset like +02:00")
    return SameMoment(moment)


def _read_pattern(builder: Builder, text: str, pointer: str) -> Test:
    try:
        return Fits(text, compile_pattern(text))
    except PatternUnusable as exc:
        builder.problem(pointer, str(exc))
        return Same(text)


def _read_correlations(
    builder: Builder, written: dict[str, JsonValue], pointer: str, scope: Scope
) -> tuple[Correlation, ...]:
    members = written.get("correlate")
    read: list[Correlation] = []
    for name, correlation in members.items() if isinstance(members, dict) else ():
        place = child(pointer, name)
        if not isinstance(correlation, dict):
            continue
        source = builder.expression(str(correlation["from"]), child(place, "from"), scope)
        expect = correlation.get("expect")
        template: Template | None = None
        if isinstance(expect, str):
            template = builder.template(expect, child(place, "expect"), scope)
        read.append(Correlation(name, source, template))
    return tuple(read)


def _told(value: JsonValue) -> str:
    text = value if isinstance(value, str) else _encode(value).decode()
    return text if len(text) <= _TOLD else text[: _TOLD - 1] + "…"
