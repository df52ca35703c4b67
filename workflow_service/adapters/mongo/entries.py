"""What is put into the log: each entry decides on what is known when its place is known, and writes there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

from chassis.storage.mongo import Document, MongoDatabase
from workflow_service.adapters.mongo.writes import Writes


class Tip(NamedTuple):
    """Where an execution stands."""

    sequence: int
    epoch: int


NOT_REMEMBERED: Final = Tip(-1, -1)


class TakenKey(NamedTuple):
    """What an idempotency key stands for."""

    execution: str
    fingerprint: str
    expires_at: int


@dataclass(slots=True)
class View:
    """What is known of everything that the entries of a group ask about, as of their place in the log."""

    tips: dict[str, Tip | None] = field(default_factory=dict)
    keys: dict[str, TakenKey | None] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Group:
    """Entries that become one document of the log.

    Args:
        first: position of the first one.
        intake: position of the last event in the intake before it.
    """

    first: int
    intake: int
    told: list[Document] = field(default_factory=list)
    tips: list[tuple[str, int, int, bool]] = field(default_factory=list)
    """Executions with their new tips, and whether they have ended."""
    keys: list[tuple[str, str, str, int]] = field(default_factory=list)
    """Idempotency keys that are taken, and what they stand for."""
    seen: list[str] = field(default_factory=list)
    """Events that have come."""
    writes: Writes = field(default_factory=Writes)
    at: int = 0
    """When the latest of them was made, in microseconds since 1970: so long the log keeps them all."""

    @property
    def next(self) -> int:
        """The position of the next entry."""
        return self.first + len(self.told)

    def add(self, told: Document, at: int) -> None:
        """Give the next position to what an entry, made at that time, tells the relay; empty: nothing."""
        self.told.append(told)
        self.at = max(self.at, at)

    def moved(self, view: View, execution: str, tip: Tip, *, ended: bool = False) -> None:
        """An execution now stands at *tip*; one that has *ended* is hardly asked about any more."""
        self.tips.append((execution, *tip, ended))
        view.tips[execution] = tip

    def claimed(self, view: View, key: str, taken: TakenKey) -> None:
        """An idempotency key now stands for an execution."""
        self.keys.append((key, *taken))
        view.keys[key] = taken
        self.writes.insert(
            "idempotency_keys", {"_id": key, **taken._asdict(), "position": self.next}
        )

    def arrived(self, view: View, key: str) -> int:
        """Give the next position in the intake to the event that is known by *key*."""
        view.seen.add(key)
        self.seen.append(key)
        self.intake += 1
        return self.intake


class Entry(Protocol):
    """One thing that wants a place in the log."""

    @property
    def size(self) -> int:
        """Bytes."""
        ...

    @property
    def executions(self) -> Sequence[str]:
        """Those that it must know the tips of."""
        ...

    @property
    def keys(self) -> Sequence[str]:
        """Idempotency keys that it must know."""
        ...

    @property
    def events(self) -> Iterable[str]:
        """Events of which it must know whether they have been seen."""
        ...

    def decide(self, view: View, group: Group) -> object:
        """Write itself into *group* and return what its sender is told.

        Raises:
            ServiceError: it is refused, and has written nothing.
        """
        ...

    async def before(self, database: MongoDatabase) -> None:
        """Store what is too large for the log; done again, it changes nothing."""
        ...
