"""What a run leaves behind for the checker: everything that crossed the border of a process, in true order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from tests.simulation.memory_store import Row
from workflow_service.application.event_ports import Arrived, Waiting
from workflow_service.application.ports import Commit
from workflow_service.domain.definition.model import Definition
from workflow_service.domain.execution.effects import Effect, Outcome
from workflow_service.domain.expressions import JsonValue


@dataclass(frozen=True, slots=True)
class Committed:
    """The store has made a commit durable."""

    time: float
    node: str
    wall: datetime
    """The wall clock of the node."""
    commit: Commit
    epoch_before: int
    """The execution's epoch in the store before; 0 for a new one."""
    sequence_before: int

    def __str__(self) -> str:
        names = " ".join(type(event).__name__ for event in self.commit.events)
        return f"{self.node} commits {self.commit.execution} @{self.commit.expected}: {names}"


@dataclass(frozen=True, slots=True)
class Knew:
    """A node was told, and not by an error, how an execution stood: after *position* entries of the evidence."""

    time: float
    node: str
    execution: str
    position: int

    def __str__(self) -> str:
        return f"{self.node} hears of {self.execution} as of {self.position}"


@dataclass(frozen=True, slots=True)
class TakenOver:
    """A node became the owner of executions."""

    time: float
    node: str
    executions: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.node} takes over {', '.join(self.executions)}"


@dataclass(frozen=True, slots=True)
class Performed:
    """A node asked the world for an effect."""

    time: float
    node: str
    execution: str
    effect: Effect

    def __str__(self) -> str:
        return f"{self.node} performs {self.effect.key} (number {self.effect.number})"


@dataclass(frozen=True, slots=True)
class Happened:
    """A fault of the run's making, or a step of a person: for the reader of a trace."""

    time: float
    what: str

    def __str__(self) -> str:
        return self.what


@dataclass(frozen=True, slots=True)
class Answered:
    """A person was answered: *answer* is "ok" or the name of the error."""

    time: float
    verb: str
    execution: str
    mark: str
    """Unique text that the command carried as its reason, or the idempotency key of a start."""
    answer: str
    calm: bool
    repeated: bool = False
    """Whether the same request was delivered twice."""

    def __str__(self) -> str:
        return f"{self.verb} {self.execution} ({self.mark}): {self.answer}"


Entry: TypeAlias = Committed | Knew | TakenOver | Performed | Happened | Answered


@dataclass(frozen=True, slots=True)
class Workflow:
    """A generated workflow and what the generator knows of it."""

    definition: Definition
    deterministic: bool
    """Whether its output is the same whatever the schedule."""
    listens: bool = False
    """Whether it waits for events."""


@dataclass(slots=True)
class Evidence:
    """All of one run."""

    seed: int
    entries: list[Entry] = field(default_factory=list)
    rows: dict[str, Row] = field(default_factory=dict)
    workflows: dict[str, Workflow] = field(default_factory=dict)
    """By digest."""
    outcomes: dict[tuple[str, int], Outcome] = field(default_factory=dict)
    """What the world decided, by execution and effect number."""
    expected: dict[str, tuple[str, JsonValue]] = field(default_factory=dict)
    """Status and output (or error) of the fault-free run, by execution, where there is one to compare with."""
    failures: list[str] = field(default_factory=list)
    """What went wrong without anybody handling it."""
    arrived: Sequence[Arrived] = ()
    """The intake."""
    listened: dict[Waiting, list[int]] = field(default_factory=dict)
    """Where subscriptions began, each time."""
    left_suspended: frozenset[str] = frozenset()
    finished: bool = True
    """Whether the run came to rest in time."""
    steps: int = 0
    calm_since: float = 0.0
    """When the faults ended."""

    def of(self, execution: str) -> Sequence[Committed]:
        """Return the commits of one execution."""
        return [
            entry
            for entry in self.entries
            if isinstance(entry, Committed) and entry.commit.execution == execution
        ]
