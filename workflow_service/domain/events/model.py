"""What an author may write about the events that are wanted, after parsing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from msgspec import Struct

from workflow_service.domain.events.patterns import Pattern
from workflow_service.domain.expressions import Expression, JsonValue, Template

Clause: TypeAlias = Literal["to", "until"]


@dataclass(frozen=True, slots=True)
class Same:
    """Equals *value*: attributes as text, data as JSON."""

    value: JsonValue


@dataclass(frozen=True, slots=True)
class SameMoment:
    """Is the same moment, however it is written: for ``time``."""

    moment: datetime


@dataclass(frozen=True, slots=True)
class Fits:
    """Is *text*, or fits it as a regular expression."""

    text: str
    pattern: Pattern


@dataclass(frozen=True, slots=True)
class Holds:
    """The expression, evaluated on the attribute or the data, holds, or comes to the same."""

    expression: Expression


@dataclass(frozen=True, slots=True)
class Members:
    """Is an object whose members of these names pass their tests; it may have others."""

    members: tuple[tuple[str, Test], ...]


@dataclass(frozen=True, slots=True)
class Items:
    """Is an array of so many items, each of which passes its test."""

    items: tuple[Test, ...]


Test: TypeAlias = "Same | SameMoment | Fits | Holds | Members | Items"


@dataclass(frozen=True, slots=True)
class Correlation:
    """A value of the event that must be what is expected.

    Without *expect* the first event's value is what is expected of all others, for every filter that has a
    correlation of that name.
    """

    name: str
    source: Expression
    """Evaluated on the whole event."""
    expect: Template | None = None
    """Evaluated once, when waiting begins."""


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events are wanted; without tests, all."""

    tests: tuple[tuple[str, Test], ...] = ()
    """By attribute, or ``data``."""
    fixed: tuple[tuple[str, Template], ...] = ()
    """Attributes that must equal what an expression came to when waiting began."""
    correlations: tuple[Correlation, ...] = ()
    told: tuple[tuple[str, str], ...] = ()
    """The attributes as written, shortened, for people."""

    @property
    def type(self) -> str:
        """The one type that events must have; empty when it may be more than one."""
        for name, test in self.tests:
            if name == "type" and isinstance(test, Same) and isinstance(test.value, str):
                return test.value
        return ""


class FilterPlace(Struct, frozen=True):
    """Which filter of a strategy."""

    clause: Clause
    index: int

    def key(self, attribute: str) -> str:
        """Name what is expected of an attribute by this filter."""
        return f"{self.clause}/{self.index}/{attribute}"

    def __str__(self) -> str:
        return f"{self.clause}/{self.index}"


@dataclass(frozen=True, slots=True)
class ConsumptionStrategy:
    """How many of the wanted events there must be."""

    kind: Literal["one", "any", "all"]
    filters: tuple[EventFilter, ...]
    until: Expression | ConsumptionStrategy | None = None
    """Of ``any`` only: what ends the waiting. None: the first event does."""

    @property
    def ending(self) -> ConsumptionStrategy | None:
        """The strategy that ends the waiting, if one does."""
        return self.until if isinstance(self.until, ConsumptionStrategy) else None

    def filter_at(self, place: FilterPlace) -> EventFilter:
        """Return a filter."""
        owner = self.ending if place.clause == "until" else self
        if owner is None:
            raise LookupError(f"there is no filter {place}")
        return owner.filters[place.index]
