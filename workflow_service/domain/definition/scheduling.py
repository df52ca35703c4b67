"""``schedule``, and what the document's metadata say about it.

Source: Open Workflow Specification, DSL reference, "Schedule".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeVar, cast, get_args

from workflow_service.domain.bounds import beyond
from workflow_service.domain.definition.building import ROOT_SCOPE, Builder
from workflow_service.domain.definition.durations import duration_seconds
from workflow_service.domain.definition.event_filters import read_strategy
from workflow_service.domain.definition.pointers import child
from workflow_service.domain.definition.vocabulary import known_are
from workflow_service.domain.events import ReadAs
from workflow_service.domain.expressions import JsonValue
from workflow_service.domain.schedules.model import (
    After,
    Cron,
    Every,
    Missed,
    On,
    Overlap,
    Schedule,
    Trigger,
)
from workflow_service.domain.schedules.ticks import cron_problem, is_zone

PLACE: Final = "/schedule"
METADATA: Final = "/document/metadata/schedule"
_KINDS: Final = ("every", "cron", "after", "on")
_METADATA: Final[Mapping[str, tuple[str, ...]]] = {
    "every": ("missed", "overlap"),
    "cron": ("timezone", "missed", "overlap"),
    "after": (),
    "on": (),
}
"""What the metadata may say about each kind."""
_Choice = TypeVar("_Choice", bound=str)


def read_schedule(builder: Builder, document: dict[str, JsonValue]) -> Schedule | None:
    """Read when the workflow starts by itself; None when it does not, or when that is malformed."""
    written = document.get("schedule")
    if not isinstance(written, dict) or not builder.sound(PLACE):
        return None
    kinds = [kind for kind in _KINDS if kind in written]
    if len(kinds) != 1:
        hint = f"must have one of {', '.join(_KINDS)}"
        more = "; a workflow that runs this one can have another schedule" if kinds else ""
        builder.problem(PLACE, hint + more)
        return None
    (kind,) = kinds
    metadata = _metadata(builder, document, kind)
    trigger = _trigger(
        builder, kind, written[kind], metadata, cast("ReadAs", written.get("read", "data"))
    )
    return Schedule(
        trigger,
        missed=_choice(builder, metadata, "missed", get_args(Missed), "one"),
        overlap=_choice(builder, metadata, "overlap", get_args(Overlap), "allow"),
    )


def _trigger(
    builder: Builder,
    kind: str,
    value: JsonValue,
    metadata: Mapping[str, JsonValue],
    read: ReadAs,
) -> Trigger:
    if kind == "on":
        return _on(builder, value, read)
    if kind == "cron":
        problem = cron_problem(str(value))
        if problem is not None:
            builder.problem(child(PLACE, kind), problem)
        return Cron(str(value), _zone(builder, metadata))
    seconds = _period(builder, value, child(PLACE, kind))
    return Every(seconds) if kind == "every" else After(seconds)


def _on(builder: Builder, value: JsonValue, read: ReadAs) -> On:
    builder.on = read_strategy(builder, value, child(PLACE, "on"), ROOT_SCOPE)
    ending = builder.on.ending
    filters = (*builder.on.filters, *(() if ending is None else ending.filters))
    types = {wanted.type for wanted in filters}
    strategy = cast("dict[str, JsonValue]", value)
    return On(strategy, read, () if "" in types else tuple(sorted(types)))


def _period(builder: Builder, value: JsonValue, pointer: str) -> float:
    """Read a duration; nothing is there yet that an expression could be evaluated with."""
    shortest = builder.limits.schedule_seconds
    try:
        seconds = duration_seconds(value)
    except ValueError as wrong:
        builder.problem(pointer, str(wrong))
        return shortest
    if seconds < shortest:
        told = f"must be at least {shortest:g} s"
        builder.problem(pointer, beyond(told, "schedule_seconds"))
        return shortest
    return seconds


def _metadata(
    builder: Builder, document: dict[str, JsonValue], kind: str
) -> Mapping[str, JsonValue]:
    head = document.get("document")
    metadata = head.get("metadata") if isinstance(head, dict) else None
    written = metadata.get("schedule") if isinstance(metadata, dict) else None
    if written is None:
        return {}
    if not isinstance(written, dict):
        builder.problem(METADATA, "must be an object")
        return {}
    allowed = _METADATA[kind]
    for name in written:
        if name not in allowed:
            hint = known_are(name, allowed)
            builder.problem(
                child(METADATA, name), f"means nothing for a schedule with {kind!r}: {hint}"
            )
    return written


def _zone(builder: Builder, metadata: Mapping[str, JsonValue]) -> str:
    zone = metadata.get("timezone", "")
    if zone == "" and "timezone" not in metadata:
        return ""
    if not isinstance(zone, str) or not is_zone(zone):
        builder.problem(
            child(METADATA, "timezone"),
            f"{str(zone)[:80]!r} is not a time zone: write a name such as Europe/Berlin or UTC",
        )
        return ""
    return zone


def _choice(
    builder: Builder,
    metadata: Mapping[str, JsonValue],
    name: str,
    choices: tuple[_Choice, ...],
    default: _Choice,
) -> _Choice:
    given = metadata.get(name, default)
    for choice in choices:
        if given == choice:
            return choice
    builder.problem(child(METADATA, name), f"must be one of {', '.join(choices)}")
    return default
