"""The way from a process to its store: slow, lossy, and sometimes lying."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from chassis.errors import Unavailable
from tests.simulation.evidence import Committed, Knew, TakenOver
from tests.simulation.memory_store import MemorySummaries
from tests.simulation.universe import Life, Universe
from workflow_service.application.ports import (
    Commit,
    ExecutionFilter,
    Head,
    OpenExecution,
    Page,
    Recorded,
    Stored,
    StoredDefinition,
    Summary,
)

T = TypeVar("T")


class Line:
    """One process's line to the store; a request on its way survives the process that sent it."""

    def __init__(self, universe: Universe, life: Life) -> None:
        self._universe = universe
        self._life = life

    async def ask(
        self,
        work: Callable[[], T],
        *,
        writes: bool = False,
        loses: bool = True,
        heard: Callable[[int], None] = lambda _: None,
    ) -> T:
        """Have *work* done at the store; *heard* is told, with the answer, how much evidence there was then.

        What *writes* may be followed by the death of the process; what *loses* may also lose its answer.

        Raises:
            Unavailable: it failed, or its answer was lost.
        """
        request = _Request(self._universe, self._life, work, (writes, writes and loses), heard)
        return await request.sent()


class _Request(Generic[T]):
    def __init__(
        self,
        universe: Universe,
        life: Life,
        work: Callable[[], T],
        kind: tuple[bool, bool],
        heard: Callable[[int], None],
    ) -> None:
        self._universe = universe
        self._life = life
        self._work = work
        self._writes, self._loses = kind
        self._heard = heard
        self._answer: asyncio.Future[T] = life.loop.create_future()

    async def sent(self) -> T:
        self._universe.scheduler.later(self._delay(), self._arrive)
        return await self._answer

    def _delay(self) -> float:
        universe = self._universe
        if universe.chance(universe.chances.slow):
            return universe.random.uniform(0.1, 8.0)
        return universe.random.choice((0.0, 0.0, 0.001, 0.004))

    def _arrive(self) -> None:
        universe = self._universe
        if self._life.loop.dead and (self._life.succeeded or universe.random.random() < 0.5):
            return  # it never left the process, or came after its lease had passed to another
        if universe.chance(universe.chances.error * (1.0 if self._writes else 0.3)):
            universe.happened(f"the store fails {self._life.name}")
            self._reply(Unavailable("the disk is away", retry_after=1.0), None)
            return
        failure: Exception | None = None
        result: T | None = None
        try:
            result = self._work()
        except Exception as refused:  # noqa: BLE001 - the store's answer
            failure = refused
        position = len(universe.evidence.entries)
        if self._writes and failure is None:
            if universe.chance(universe.chances.crash_after_commit):
                universe.kill(self._life.name, "after a commit")
            if self._loses and universe.chance(universe.chances.lost):
                universe.happened(f"the answer to {self._life.name} is lost")
                self._reply(Unavailable("the answer is lost", retry_after=1.0), None)
                return
        self._reply(failure, result, position)

    def _delay_back(self) -> float:
        """Taking over reads much, and its answer takes the longest."""
        universe = self._universe
        takes_over = self._writes and not self._loses and not universe.chances.calm
        return self._delay() + (universe.random.uniform(0.0, 1.5) if takes_over else 0.0)

    def _reply(self, failure: Exception | None, result: T | None, position: int = -1) -> None:
        self._universe.scheduler.later(
            self._delay_back(), lambda: self._hear(failure, result, position)
        )

    def _hear(self, failure: Exception | None, result: T | None, position: int) -> None:
        if self._life.loop.dead or self._answer.done():
            return
        if failure is not None:
            self._answer.set_exception(failure)
        else:
            if position >= 0:
                self._heard(position)
            self._answer.set_result(result)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class RemoteStore:
    """The ``EventStore`` port over a line."""

    universe: Universe
    life: Life
    line: Line

    async def append(self, commit: Commit) -> None:
        """See ``EventStore``."""

        def work() -> None:
            row = self.universe.tables.rows.get(commit.execution)
            before = (row.epoch, row.sequence) if row else (0, 0)
            self.universe.tables.append(commit, self.life.name)
            wall = self.universe.wall(self.life.name)
            self.universe.note(Committed(self.universe.now, self.life.name, wall, commit, *before))

        await self.line.ask(work, writes=True, heard=self._knows(commit.execution))

    def _knows(self, execution: str) -> Callable[[int], None]:
        def heard(position: int) -> None:
            self.universe.note(Knew(self.universe.now, self.life.name, execution, position))

        return heard

    async def load(self, execution: str) -> Stored | None:
        """See ``EventStore``."""
        tables = self.universe.tables
        return await self.line.ask(lambda: tables.load(execution), heard=self._knows(execution))

    async def head(self, execution: str) -> Head | None:
        """See ``EventStore``."""

        def work() -> Head | None:
            row = self.universe.tables.rows.get(execution)
            return None if row is None else row.head

        return await self.line.ask(work)

    async def read(
        self, execution: str, *, after: int = 0, limit: int = 1000
    ) -> Sequence[Recorded]:
        """See ``EventStore``."""

        def work() -> list[Recorded]:
            row = self.universe.tables.rows.get(execution)
            return [] if row is None else row.recorded(after)[:limit]

        return await self.line.ask(work)

    async def due(self, now: datetime, limit: int) -> Sequence[str]:
        """See ``EventStore``."""
        return await self.line.ask(lambda: self.universe.tables.due(now, limit))

    async def next_wake(self) -> datetime | None:
        """See ``EventStore``."""
        return await self.line.ask(self.universe.tables.next_wake)

    async def take_over(self, owner: str, limit: int) -> Sequence[str]:
        """See ``EventStore``."""

        def work() -> list[str]:
            taken = self.universe.tables.take_over(owner, limit)
            if taken:
                self.universe.note(TakenOver(self.universe.now, owner, tuple(taken)))
            return taken

        # Its answer is never lost: the port has no way to ask again what was taken (docs/simulation.md).
        return await self.line.ask(work, writes=True, loses=False)

    async def started_by(self, tenant: str, owner: str, key: str) -> tuple[str, str] | None:
        """See ``EventStore``."""
        now = self.universe.wall(self.life.name)
        return await self.line.ask(lambda: self.universe.tables.key(tenant, owner, key, now))

    async def open_executions(
        self, after: tuple[str, str] | None, limit: int
    ) -> Sequence[OpenExecution]:
        """See ``EventStore``."""
        return await self.line.ask(lambda: self.universe.tables.open_executions(after, limit))

    async def count_open(self, tenant: str, limit: int) -> int:
        """See ``EventStore``."""
        return await self.line.ask(lambda: self.universe.tables.count_open(tenant, limit))


@dataclass(frozen=True, slots=True)
class RemoteSummaries:
    """The ``Summaries`` port over a line."""

    universe: Universe
    line: Line

    async def get(self, tenant: str, execution: str) -> Summary | None:
        """See ``Summaries``."""

        def work() -> Summary | None:
            row = self.universe.tables.rows.get(execution)
            return row.summary if row is not None and row.summary.tenant == tenant else None

        return await self.line.ask(work)

    async def list(self, wanted: ExecutionFilter, limit: int, cursor: str | None) -> Page[Summary]:
        """See ``Summaries``."""
        return await MemorySummaries(self.universe.tables).list(wanted, limit, cursor)


class KnownDefinitions:
    """The ``Definitions`` port: everything was published before the run."""

    def __init__(self, line: Line, stored: Sequence[StoredDefinition]) -> None:
        self._line = line
        self._by_digest = {definition.digest: definition for definition in stored}

    async def add(self, definition: StoredDefinition) -> StoredDefinition:
        """Return it."""
        return definition

    async def get(
        self, tenant: str, namespace: str, name: str, version: str
    ) -> StoredDefinition | None:
        """See ``Definitions``."""
        return await self.newest(tenant, namespace, name)

    async def newest(self, tenant: str, namespace: str, name: str) -> StoredDefinition | None:
        """See ``Definitions``."""

        def work() -> StoredDefinition | None:
            found = (d for d in self._by_digest.values() if d.name == name)
            return next(found, None)

        return await self._line.ask(work)

    async def by_digest(self, tenant: str, digest: str) -> StoredDefinition | None:
        """See ``Definitions``."""
        return await self._line.ask(lambda: self._by_digest.get(digest))

    async def list(
        self,
        tenant: str,
        *,
        namespace: str | None,
        name: str | None,
        limit: int,
        cursor: str | None,
    ) -> Page[StoredDefinition]:
        """See ``Definitions``."""
        return Page(tuple(self._by_digest.values()))
