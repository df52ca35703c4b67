"""One step of waiting: an event is taken or not, and then there are enough of them or not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from workflow_service.domain.events.cloud_event import ReceivedEvent, text_of
from workflow_service.domain.events.matching import Evaluate, matched
from workflow_service.domain.events.model import ConsumptionStrategy, EventFilter, FilterPlace
from workflow_service.domain.expressions import JsonValue, Template


class Progress(Struct, frozen=True, omit_defaults=True):
    """How far waiting has come."""

    keys: dict[str, str] = {}
    """What is expected of correlations, by their names, as far as it is known."""
    fixed: dict[str, str] = {}
    """What attributes must equal, evaluated when waiting began; see ``FilterPlace.key``."""
    met: tuple[int, ...] = ()
    """Of ``all``: the filters that have had their event."""
    ending_met: tuple[int, ...] = ()
    """The same of the strategy in ``until``."""
    closed: bool = False
    """Whether no more events are wanted."""
    position: int = 0
    """Of the last event that was taken: none is taken twice."""


class Consumed(NamedTuple):
    """An event was taken."""

    progress: Progress
    place: FilterPlace
    """By which filter; what ``until`` takes is no part of the result."""


def begin(strategy: ConsumptionStrategy, render: Callable[[Template], JsonValue]) -> Progress:
    """Return the beginning of waiting; what is expected is evaluated now, and once."""
    keys: dict[str, str] = {}
    fixed: dict[str, str] = {}
    for place, wanted in _filters(strategy):
        for name, template in wanted.fixed:
            fixed[place.key(name)] = _expected(render(template))
        for correlation in wanted.correlations:
            if correlation.expect is not None:
                keys[correlation.name] = _expected(render(correlation.expect))
    return Progress(keys=keys, fixed=fixed, closed=strategy.kind == "all" and not strategy.filters)


def _expected(value: JsonValue) -> str:
    # Null is never an event's value: nothing fits it.
    return text_of(value) or ""


def waiting(
    strategy: ConsumptionStrategy, progress: Progress
) -> Iterator[tuple[FilterPlace, EventFilter]]:
    """Yield the filters that an event may still pass, those of ``until`` first."""
    if progress.closed:
        return
    for place, wanted in _filters(strategy):
        owner = strategy if place.clause == "to" else strategy.ending
        met = progress.met if place.clause == "to" else progress.ending_met
        if owner is not None and (owner.kind != "all" or place.index not in met):
            yield place, wanted


def consume(
    strategy: ConsumptionStrategy, progress: Progress, event: ReceivedEvent, evaluate: Evaluate
) -> Consumed | None:
    """Take *event* if it is wanted and newer than the last one; None when it is not.

    One event passes one filter only. What ``until`` says as an expression is for the caller to evaluate.
    """
    if event.position <= progress.position:
        return None
    for place, wanted in waiting(strategy, progress):
        keys = matched(wanted, place, event, progress.fixed, progress.keys, evaluate)
        if keys is not None:
            return Consumed(_taken(strategy, progress, place, event.position, keys), place)
    return None


def _taken(
    strategy: ConsumptionStrategy,
    progress: Progress,
    place: FilterPlace,
    position: int,
    keys: dict[str, str],
) -> Progress:
    changed = replace(progress, keys={**progress.keys, **keys}, position=position)
    if place.clause == "until":
        met = (*progress.ending_met, place.index)
        ending = strategy.ending
        return replace(changed, ending_met=met, closed=ending is None or _enough(ending, met))
    met = (*progress.met, place.index) if strategy.kind == "all" else ()
    return replace(changed, met=met, closed=_enough(strategy, met))


def _enough(strategy: ConsumptionStrategy, met: tuple[int, ...]) -> bool:
    match strategy.kind:
        case "one":
            return True
        case "any":
            return strategy.until is None
        case "all":
            return len(met) == len(strategy.filters)


def _filters(strategy: ConsumptionStrategy) -> Iterator[tuple[FilterPlace, EventFilter]]:
    ending = strategy.ending
    for index, wanted in enumerate(ending.filters if ending is not None else ()):
        yield FilterPlace("until", index), wanted
    for index, wanted in enumerate(strategy.filters):
        yield FilterPlace("to", index), wanted
