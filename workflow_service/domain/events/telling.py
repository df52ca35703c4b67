"""What somebody waits for, in words."""

from __future__ import annotations

from workflow_service.domain.events.consuming import Progress, waiting
from workflow_service.domain.events.model import ConsumptionStrategy, EventFilter, FilterPlace

_MOST = 5


def awaited(strategy: ConsumptionStrategy, progress: Progress) -> str:
    """Say which events are awaited, with what is expected of them."""
    found = list(waiting(strategy, progress))
    wanted = [_told(each, place, progress) for place, each in found if place.clause == "to"]
    ending = [_told(each, place, progress) for place, each in found if place.clause == "until"]
    told = _joined(wanted, "and" if strategy.kind == "all" else "or")
    if ending:
        both = strategy.ending is not None and strategy.ending.kind == "all"
        return f"{told}, until there is {_joined(ending, 'and' if both else 'or')}"
    if strategy.until is not None and not isinstance(strategy.until, ConsumptionStrategy):
        return f"{told}, until {strategy.until.source}"
    return told


def _joined(filters: list[str], word: str) -> str:
    shown = f" {word} ".join(filters[:_MOST])
    more = len(filters) - _MOST
    return f"{shown} {word} {more} more" if more > 0 else shown


def _told(wanted: EventFilter, place: FilterPlace, progress: Progress) -> str:
    given = dict(wanted.told)
    for name, _ in wanted.fixed:
        given[name] = progress.fixed.get(place.key(name), "")[:80]
    parts = [f"{name} {text}" for name, text in given.items()]
    for correlation in wanted.correlations:
        expected = progress.keys.get(correlation.name)
        value = "not known yet" if expected is None else expected[:80]
        parts.append(f"{correlation.name} = {value}")
    return f"an event with {', '.join(parts)}" if parts else "any event"
