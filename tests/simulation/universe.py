"""Everything that outlives a process: time, the disk, the services outside, the evidence, and fate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

from tests.simulation.chances import Chances, draw
from tests.simulation.evidence import Committed, Entry, Evidence, Happened
from tests.simulation.loops import ProcessLoop, Scheduler
from tests.simulation.memory_store import MemoryTables
from tests.simulation.outside import Services

LEASE = 5.0
"""Seconds that a process may stand still before others take it for dead."""
_BEGINNING = datetime(2026, 1, 15, 12, tzinfo=UTC)


@dataclass(slots=True)
class Life:
    """What the universe knows of one process."""

    name: str
    loop: ProcessLoop
    offset: float = 0.0
    """Seconds that its wall clock is ahead of the truth."""
    paused_at: float | None = None
    succeeded: bool = False
    """Whether another process has begun since it died."""
    on_death: list[Callable[[], None]] = field(default_factory=list)


class Universe:
    """One run's world."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.chances: Chances = draw(self.random)
        self.scheduler = Scheduler(Random(self.random.random()))
        self.tables = MemoryTables(self.is_alive)
        self.services = Services(seed, self.chances.effect_fails)
        self.evidence = Evidence(seed)
        self.lives: dict[str, Life] = {}
        self.hanging: list[Callable[[], None]] = []
        self.crashed_since_birth = False
        self.last_commit = 0.0

    @property
    def now(self) -> float:
        """Seconds since the run began, the truth."""
        return self.scheduler.now

    def chance(self, probability: float) -> bool:
        """Throw dice."""
        return probability > 0.0 and self.random.random() < probability

    def note(self, entry: Entry) -> int:
        """Keep evidence; return how much there is now."""
        self.evidence.entries.append(entry)
        if isinstance(entry, Committed):
            self.last_commit = self.now
        return len(self.evidence.entries)

    def happened(self, what: str) -> None:
        """Tell the reader of a trace."""
        self.note(Happened(self.now, what))

    # ------------------------------------------------------------ processes

    def birth(self, name: str) -> Life:
        """Let a process begin."""
        for dead in self.lives.values():
            dead.succeeded = dead.loop.dead
        life = Life(name, self.scheduler.new_loop(name))
        if self.chances.jumps and not self.chances.calm:
            life.offset = self.random.choice((0.0, 0.0, -3.0, 2.0))
        self.lives[name] = life
        return life

    def is_alive(self, name: str) -> bool:
        """Whether others take a process for alive: its lease is kept up."""
        life = self.lives.get(name)
        if life is None or life.loop.dead:
            return False
        return life.paused_at is None or life.paused_at > self.now - LEASE

    def living(self) -> list[Life]:
        """The processes that are not dead, in the order of their birth."""
        return [life for life in self.lives.values() if not life.loop.dead]

    def kill(self, name: str, why: str) -> None:
        """Let a process die here and now."""
        life = self.lives[name]
        if life.loop.dead:
            return
        self.happened(f"{name} is killed {why}")
        life.loop.kill()
        self.crashed_since_birth = True
        for told in life.on_death:
            told()

    def wall(self, name: str) -> datetime:
        """The wall clock of a process."""
        return _BEGINNING + timedelta(seconds=self.scheduler.now + self.lives[name].offset)


@dataclass(frozen=True, slots=True)
class NodeClock:
    """The clock of one process: the wall jumps, the monotonic reading does not."""

    universe: Universe
    node: str

    def now(self) -> datetime:
        """The wall clock."""
        return self.universe.wall(self.node)

    def monotonic(self) -> float:
        """Seconds."""
        return self.universe.scheduler.now
