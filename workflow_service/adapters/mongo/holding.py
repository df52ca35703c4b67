"""Changes of executions that go on are held for a moment: what follows is often their end, and all of it is then one write.

What somebody elsewhere looks for without asking is not held: executions that are to be woken soon.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from workflow_service.adapters.mongo.folding import INSERT, Write, folded

HOLD: Final = 1.5
"""Seconds after which a change is written although its execution goes on."""
MOST: Final = 2_000
"""How many executions are held at the most; the oldest go first."""


@dataclass(slots=True)
class _Kept:
    place: int
    """Of the first document of the log that is not carried out for it."""
    until: float
    write: Write


class Held:
    """Changes that may wait, one for each execution, the oldest first."""

    def __init__(self) -> None:
        self._of: dict[str, _Kept] = {}

    @property
    def first(self) -> int | None:
        """Place of the first document of which something is held."""
        return next((each.place for each in self._of.values()), None)

    @property
    def due(self) -> float:
        """When the oldest one is to be written."""
        return next((each.until for each in self._of.values()), float("inf"))

    @property
    def writes(self) -> Iterator[Write]:
        """All that is held."""
        return (each.write for each in self._of.values())

    def add(self, place: int, writes: Iterable[Write], now: float) -> None:
        """Hold what the document at *place* changes of executions."""
        for write in writes:
            name = write[1]["_id"]
            kept = self._of.get(name)
            if kept is None:
                self._of[name] = _Kept(place, now + HOLD, write)
            else:
                (kept.write,) = folded([kept.write, write])

    def released(self, asked: float, now: float, soon: int) -> list[Write]:
        """Hold no longer, and return, what may not wait, was held for long, or is of documents up to the place *asked*."""
        beyond = len(self._of) - MOST
        names = [
            name
            for number, (name, kept) in enumerate(self._of.items())
            if number < beyond
            or kept.place <= asked
            or kept.until <= now
            or has_ended(kept.write)
            or is_urgent(kept.write, soon)
        ]
        return [self._of.pop(name).write for name in names]


def has_ended(write: Write) -> bool:
    """Whether the execution has ended that *write* is about."""
    kind, document, change = write
    if kind == INSERT:
        return "open" not in document
    return "open" in change.get("$unset", ())


def is_urgent(write: Write, soon: int) -> bool:
    """Whether *write* has its execution woken before *soon*, by whichever process finds that first."""
    wake = wake_of(write)
    return wake is not None and wake < soon


def wake_of(write: Write) -> int | None:
    """When *write* has its execution woken, in microseconds since 1970; None: not, or as before."""
    kind, document, change = write
    wake: int | None = (document if kind == INSERT else change.get("$set", {})).get("wake_at")
    return wake
