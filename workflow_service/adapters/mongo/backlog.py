"""Documents of the log that are not carried out, in their order: those that gather, and those of which something is held."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, takewhile
from typing import Final

from workflow_service.adapters.mongo.folding import Write
from workflow_service.adapters.mongo.holding import Held, is_urgent
from workflow_service.adapters.mongo.writes import FOLDED, LAST, Writes

AT_ONCE: Final = 1_000
"""How many entries of the log are carried out together at the most, unless one document has more."""
GATHER: Final = 0.2
SOON: Final = 0.02
"""Seconds for which documents gather; the second if others look for what is in them without asking."""
SOON_WOKEN: Final = 2_000_000
"""Microseconds within which an execution is to be woken so that others look for it: more than it may be held."""
UNHURRIED: Final = frozenset({FOLDED, "commits", "idempotency_keys"})
"""Collections of which whoever reads them asks."""


@dataclass(frozen=True, slots=True)
class _Piece:
    place: int
    writes: Writes
    entries: int


class Backlog:
    """What is to be written, and when."""

    def __init__(self) -> None:
        self.entries = 0
        """How many entries of the log the documents have of which something other than what is held is to be written."""
        self._places: dict[int, None] = {}
        self._queue: deque[_Piece] = deque()
        self._gathered = 0.0
        self._held = Held()
        self._begun: list[_Piece] = []
        self._writing = Writes()

    @property
    def first(self) -> int | None:
        """Place of the first document that is not done; None: there is none."""
        return next(iter(self._places), None)

    @property
    def last(self) -> int | None:
        """Place of the last one."""
        return next(reversed(self._places), None)

    @property
    def due(self) -> float:
        """When something is to be written, by the clock of ``add``."""
        return min(self._held.due, self._gathered if self._queue else math.inf)

    @property
    def changes(self) -> Iterator[Write]:
        """What is done to executions, in its order; some of it has been done already if it failed."""
        queued = (write for each in self._queue for write in each.writes.of(FOLDED))
        return chain(self._writing.of(FOLDED), self._held.writes, queued)

    def has(self, place: int) -> bool:
        """Whether the document at *place* is among them."""
        return place in self._places

    def add(self, place: int, writes: Writes, entries: int, now: float, *, others: bool) -> bool:
        """Add a document; whether that makes something due earlier.

        Args:
            place: of the document.
            writes: what is to be written of it.
            entries: how many it has.
            now: seconds.
            others: whether there are other processes, who might look for it.
        """
        until = now + (SOON if others and _is_looked_for(writes) else GATHER)
        earlier = not self._queue or until < self._gathered
        if earlier:
            self._gathered = until
        self._queue.append(_Piece(place, writes, entries))
        self._places[place] = None
        self.entries += entries
        return earlier

    def taken(self, asked: float, now: float) -> Writes:
        """Return what is to be written now: of what has gathered, and what is held no longer.

        Args:
            asked: up to which place nothing may be held.
            now: seconds.
        """
        if not self._begun:
            self._begin(now)
        if LAST in self._writing.by_collection:
            asked = math.inf
        for write in self._held.released(asked, now, _soon()):
            self._writing.add(FOLDED, write)
        return self._writing

    def written(self) -> list[int]:
        """What was taken last has been written: return the places of the documents that are done by that."""
        self.entries -= self.begun
        self._begun, self._writing = [], Writes()
        firsts = (self._held.first, self._queue[0].place if self._queue else None)
        before = min((place for place in firsts if place is not None), default=math.inf)
        done = list(takewhile(lambda place: place < before, self._places))
        for place in done:
            del self._places[place]
        return done

    @property
    def begun(self) -> int:
        """How many entries the documents have that were taken last, or are to be taken again."""
        return sum(piece.entries for piece in self._begun)

    def _begin(self, now: float) -> None:
        left = AT_ONCE
        while self._queue and (not self._begun or self._queue[0].entries <= left):
            left -= self._queue[0].entries
            self._begun.append(self._queue.popleft())
        for piece in self._begun:
            self._held.add(piece.place, piece.writes.of(FOLDED), now)
        others = (piece.writes.without(FOLDED) for piece in self._begun)
        self._writing = Writes.together([self._writing, *others])


def _is_looked_for(writes: Writes) -> bool:
    """Whether other processes look for some of *writes* without asking."""
    soon = _soon()
    woken = any(is_urgent(write, soon) for write in writes.of(FOLDED))
    return woken or not writes.by_collection.keys() <= UNHURRIED


def _soon() -> int:
    # By the clock of this machine, as processes compare with theirs when an execution is to be woken.
    return time.time_ns() // 1000 + SOON_WOKEN
