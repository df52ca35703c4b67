"""A workflow as a picture has it: boxes within boxes, and edges between neighbours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum


class Line(Enum):
    """What an edge means."""

    NEXT = "next"
    """The order in which tasks are written."""
    JUMP = "jump"
    """A ``then`` or a case of a ``switch`` that leads elsewhere."""
    ERROR = "error"
    """An error is caught."""
    RETRY = "retry"
    """It is tried again."""


class Arrangement(Enum):
    """How the boxes in a box lie."""

    COLUMN = "column"
    ROW = "row"
    """Side by side, and all of them at once."""
    PAIR = "pair"
    """Side by side: what is tried, and what is done about errors."""


@dataclass(frozen=True, slots=True)
class Edge:
    """From one box to another one of the same group."""

    source: str
    target: str
    label: str = ""
    line: Line = Line.NEXT


@dataclass(frozen=True, slots=True)
class Box:
    """A task, a list of tasks, or where a flow begins and ends."""

    id: str
    title: str
    kind: str
    """A kind of task, or `start`, `end`, `attempt`, `catch`, and `leave` for the end of a way out of a list."""
    note: str = ""
    children: tuple[Box, ...] = ()
    edges: tuple[Edge, ...] = ()
    arrangement: Arrangement = Arrangement.COLUMN
    beside: str = ""
    """Id of the box that it stands beside, when it is none of the list's own."""

    @property
    def is_group(self) -> bool:
        """Whether it has boxes inside."""
        return bool(self.children)

    @property
    def listed(self) -> tuple[Box, ...]:
        """The boxes inside that are in line."""
        return tuple(child for child in self.children if not child.beside)


@dataclass(slots=True)
class Names:
    """Gives every box an id of its own."""

    given: int = 0

    def new(self) -> str:
        """The next one."""
        self.given += 1
        return f"n{self.given}"


def walk(box: Box) -> Iterator[Box]:
    """The box and all boxes inside, outermost first."""
    yield box
    for child in box.children:
        yield from walk(child)
