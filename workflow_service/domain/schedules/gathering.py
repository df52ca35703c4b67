"""Starts that events cause: which events belong together, and when there are enough of them.

Events that correlate by different values are gathered side by side: an order and its payment start one execution, however
many other orders come in between.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import msgspec
from msgspec.structs import replace

from workflow_service.domain.events import (
    Consumed,
    ConsumptionStrategy,
    Progress,
    ReadAs,
    ReceivedEvent,
    begin,
    consume,
)
from workflow_service.domain.events.matching import Evaluate
from workflow_service.domain.expressions import Expression, ExpressionFailed, JsonValue, Template
from workflow_service.domain.expressions.measuring import size_of


class Gathering(msgspec.Struct, frozen=True):
    """Some events that are not enough yet."""

    progress: Progress
    input: tuple[JsonValue, ...]
    """What the execution will get of them, in the order in which they came."""


class Pending(msgspec.Struct, frozen=True):
    """Enough events; an execution is to be started for them."""

    position: int
    """Of the last one in the intake."""
    input: tuple[JsonValue, ...]


class Heard(msgspec.Struct, frozen=True, omit_defaults=True):
    """What has become of the events so far."""

    position: int = 0
    """Of the last event that changed anything; none counts twice."""
    gathering: tuple[Gathering, ...] = ()
    pending: tuple[Pending, ...] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events start a workflow, and how expressions about them are evaluated."""

    strategy: ConsumptionStrategy
    read: ReadAs
    evaluate: Evaluate
    render: Callable[[Template], JsonValue]

    def hear(self, heard: Heard, event: ReceivedEvent) -> Heard:
        """Return what *event* changes; the very same when it changes nothing.

        Raises:
            NeedsWorker: an expression may take long, and must not do so here.
        """
        if event.position <= heard.position:
            return heard
        for index, gathering in enumerate(heard.gathering):
            taken = consume(self.strategy, gathering.progress, event, self.evaluate)
            if taken is not None:
                others = heard.gathering[:index] + heard.gathering[index + 1 :]
                return self._taken(replace(heard, gathering=others), gathering, taken, event)
        try:
            fresh = Gathering(begin(self.strategy, self.render), ())
        except ExpressionFailed:
            return heard  # what is expected cannot be told: nothing fits it
        taken = consume(self.strategy, fresh.progress, event, self.evaluate)
        return heard if taken is None else self._taken(heard, fresh, taken, event)

    def _taken(
        self, heard: Heard, gathering: Gathering, taken: Consumed, event: ReceivedEvent
    ) -> Heard:
        value = event.read(self.read)
        more = (value,) if taken.place.clause == "to" else ()
        gathered = Gathering(taken.progress, (*gathering.input, *more))
        if taken.progress.closed or self._ends(value):
            pending = Pending(event.position, gathered.input)
            return replace(heard, position=event.position, pending=(*heard.pending, pending))
        return replace(heard, position=event.position, gathering=(*heard.gathering, gathered))

    def _ends(self, value: JsonValue) -> bool:
        until = self.strategy.until
        if not isinstance(until, Expression):
            return False
        try:
            found = self.evaluate(until, value)
        except ExpressionFailed:
            return False
        return found is not None and found is not False


def within(heard: Heard, most: int, size: int) -> tuple[Heard, int]:
    """Return *heard* without what is too much of it, the oldest first, and how many starts are lost by that.

    Args:
        heard: what there is.
        most: how many there may be that are gathered, and as many that are pending.
        size: bytes of JSON that all of them may have together.
    """
    kept: set[int] = set()
    room = size
    groups: list[Gathering | Pending] = [*heard.pending, *heard.gathering]
    newest_first = sorted(groups, key=_position, reverse=True)
    counts = {Gathering: 0, Pending: 0}
    for each in newest_first:
        room -= size_of(list(each.input), room) if room >= 0 else 0
        counts[type(each)] += 1
        if room >= 0 and counts[type(each)] <= most:
            kept.add(id(each))
    lost = len(newest_first) - len(kept)
    if not lost:
        return heard, 0
    return replace(
        heard,
        gathering=tuple(each for each in heard.gathering if id(each) in kept),
        pending=tuple(each for each in heard.pending if id(each) in kept),
    ), lost


def _position(each: Gathering | Pending) -> int:
    return each.position if isinstance(each, Pending) else each.progress.position
