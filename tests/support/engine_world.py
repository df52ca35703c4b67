"""A workflow engine with a real store in memory, a world that tests answer for, and processes that can die."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Self

from chassis.clock import Clock
from chassis.errors import Unavailable
from chassis.lifecycle import Supervisor
from chassis.storage.sqlite import SqliteDatabase
from tests.support.ids import CountingIds
from tests.support.time import ManualClock, eventually
from tests.support.workflow_run import definition_of
from workflow_service.adapters.bells import IntakeBell, LogBell
from workflow_service.adapters.progress import LocalProgress
from workflow_service.adapters.sqlite import definitions as definition_tables
from workflow_service.adapters.sqlite import schedules as schedule_tables
from workflow_service.adapters.sqlite import schema
from workflow_service.adapters.sqlite.definitions import SqliteDefinitions
from workflow_service.adapters.sqlite.event_store import SqliteEventStore
from workflow_service.adapters.sqlite.intake import SqliteIntake
from workflow_service.adapters.sqlite.subscriptions import SqliteSubscriptions
from workflow_service.adapters.sqlite.summaries import SqliteSummaries
from workflow_service.application.caller import Caller
from workflow_service.application.commands.cancel_execution import (
    CancelExecution,
    CancelExecutionHandler,
)
from workflow_service.application.commands.resume_execution import (
    ResumeExecution,
    ResumeExecutionHandler,
)
from workflow_service.application.commands.retry_execution import (
    RetryExecution,
    RetryExecutionHandler,
)
from workflow_service.application.commands.start_execution import (
    StartExecution,
    StartExecutionHandler,
)
from workflow_service.application.commands.suspend_execution import (
    SuspendExecution,
    SuspendExecutionHandler,
)
from workflow_service.application.compiled_definitions import CompiledDefinitions
from workflow_service.application.engine.engine import Engine
from workflow_service.application.engine.load_execution import LoadExecution
from workflow_service.application.engine.settings import EngineSettings
from workflow_service.application.event_ports import EventPorts
from workflow_service.application.ports import (
    Alone,
    Commit,
    EventStore,
    Recorded,
    Sharing,
    StoredDefinition,
    Summary,
)
from workflow_service.application.queries.get_definition import GetDefinitionHandler
from workflow_service.domain.definition.documents import canonical
from workflow_service.domain.execution.effects import Effect, Failed, Outcome, Succeeded
from workflow_service.domain.execution.limits import Limits
from workflow_service.domain.execution.problem import Problem
from workflow_service.domain.expressions import Expressions, JsonValue

ADA = Caller("ada", "default")
CALL = "{call: http, with: {method: get, endpoint: 'http://example.com/'}}"


class World:
    """What is outside of the engine: every effect waits until the test answers it."""

    def __init__(self) -> None:
        self.asked: list[Effect] = []
        self._waiting: list[tuple[Effect, asyncio.Future[Outcome]]] = []

    async def perform(self, execution: str, effect: Effect) -> Outcome:
        """Wait for the test's answer."""
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self.asked.append(effect)
        entry = (effect, answer)
        self._waiting.append(entry)
        try:
            return await answer
        finally:
            self._waiting.remove(entry)

    @property
    def waiting(self) -> list[Effect]:
        """The effects under way."""
        return [effect for effect, _ in self._waiting]

    async def asks(self, count: int = 1) -> None:
        """Wait until so many effects are under way."""
        await eventually(lambda: len(self._waiting) == count)

    async def answer(self, output: JsonValue = None) -> None:
        """Let the first effect under way succeed."""
        (await self._first()).set_result(Succeeded(output))

    async def refuse(self, problem: Problem) -> None:
        """Let the first effect under way fail."""
        (await self._first()).set_result(Failed(problem))

    async def _first(self) -> asyncio.Future[Outcome]:
        def unanswered() -> list[asyncio.Future[Outcome]]:
            return [answer for _, answer in self._waiting if not answer.done()]

        await eventually(lambda: bool(unanswered()))
        return unanswered()[0]


@dataclass(slots=True)
class LyingStore:
    """An event store whose commits can fail, before or after they were made."""

    inner: SqliteEventStore
    fails: Callable[[Commit], str | None] = lambda _: None
    commits: int = 0

    async def append(self, commit: Commit) -> None:
        """Commit, unless the test wants otherwise: 'before' loses it, 'after' keeps it and loses the answer."""
        verdict = self.fails(commit)
        if verdict == "before":
            raise Unavailable("the disk is away", retry_after=1.0)
        await self.inner.append(commit)
        self.commits += 1
        if verdict == "after":
            raise Unavailable("the answer is lost", retry_after=1.0)

    def __getattr__(self, name: str) -> object:
        return getattr(self.inner, name)


@dataclass(slots=True)
class Process:
    """One process that runs the engine."""

    engine: Engine
    supervisor: Supervisor
    store: LyingStore
    start: StartExecutionHandler
    cancel: CancelExecutionHandler
    suspend: SuspendExecutionHandler
    resume: ResumeExecutionHandler
    retry: RetryExecutionHandler


@dataclass(slots=True)
class Bench:
    """Everything that outlives a process: the store, the clock, the world."""

    database: SqliteDatabase
    clock: ManualClock = field(default_factory=ManualClock)
    ids: CountingIds = field(default_factory=CountingIds)
    world: World = field(default_factory=World)
    engine_clock: Clock | None = None
    """By which processes live, if it is not the clock itself."""
    sharing: Sharing = field(default_factory=Alone)
    """By what processes leave executions to others."""
    nodes: int = 0
    arrivals: IntakeBell = field(default_factory=IntakeBell)

    @classmethod
    @asynccontextmanager
    async def open(cls) -> AsyncIterator[Self]:
        """Make an empty one."""
        tables = (schema, schedule_tables, definition_tables)
        migrations = sorted(
            (migration for module in tables for migration in module.MIGRATIONS),
            key=lambda migration: migration.version,
        )
        database = await SqliteDatabase.open(None, migrations=migrations)
        try:
            yield cls(database)
        finally:
            await database.close()

    @property
    def summaries(self) -> SqliteSummaries:
        """Executions as lists show them."""
        return SqliteSummaries(self.database)

    @property
    def reader(self) -> SqliteEventStore:
        """The histories, for whoever only looks."""
        return SqliteEventStore(self.database, node="reader", clock=self.clock, bell=LogBell())

    @asynccontextmanager
    async def process(
        self, *, settings: EngineSettings | None = None, limits: Limits | None = None
    ) -> AsyncIterator[Process]:
        """Run a process; leaving the block kills it: nothing is finished, only what is on disk stays."""
        self.nodes += 1
        node = f"node-{self.nodes}"
        store = LyingStore(
            SqliteEventStore(self.database, node=node, clock=self.clock, bell=LogBell())
        )
        supervisor = Supervisor(deadline=0.01)
        async with supervisor:
            made = self._assemble(node, store, supervisor, settings, limits or Limits())
            made.engine.start()
            try:
                yield made
            finally:
                made.engine.stop()
                await supervisor.stop(deadline=0.01)

    def _assemble(
        self,
        node: str,
        store: LyingStore,
        supervisor: Supervisor,
        settings: EngineSettings | None,
        limits: Limits,
    ) -> Process:
        definitions = SqliteDefinitions(self.database)
        compiled = CompiledDefinitions(Expressions())
        port: EventStore = store  # type: ignore[assignment]  # the other methods come by delegation
        engine = Engine(
            node=node,
            store=port,
            definitions=definitions,
            compiled=compiled,
            runner=self.world,
            progress=LocalProgress(),
            clock=self.engine_clock or self.clock,
            supervisor=supervisor,
            random=Random(1),
            limits=limits,
            settings=settings or EngineSettings(),
            sharing=self.sharing,
            events=EventPorts(
                SqliteIntake(self.database, bell=self.arrivals), SqliteSubscriptions(self.database)
            ),
        )
        start = StartExecutionHandler(
            engine=engine,
            get_definition=GetDefinitionHandler(definitions),
            compiled=compiled,
            store=port,
            summaries=self.summaries,
            clock=self.clock,
            ids=self.ids,
            limits=limits,
            sharing=self.sharing,
        )
        return Process(
            engine,
            supervisor,
            store,
            start,
            CancelExecutionHandler(
                engine, port, self.clock, LoadExecution(port, definitions, compiled)
            ),
            SuspendExecutionHandler(engine, self.summaries),
            ResumeExecutionHandler(engine, self.summaries),
            RetryExecutionHandler(engine, port, self.summaries),
        )

    async def publish(self, text: str, tenant: str = "default") -> None:
        """Publish a definition under test/spec/0.1.0."""
        definition = definition_of(text)
        await SqliteDefinitions(self.database).add(
            StoredDefinition(
                tenant=tenant,
                namespace=definition.namespace,
                name=definition.name,
                version=definition.version,
                digest=definition.digest,
                document=canonical(dict(definition.document)),
                created_at=self.clock.now(),
                created_by="ada",
            )
        )

    async def history(self, execution: str) -> Sequence[Recorded]:
        """Return the whole history."""
        store = self.reader
        found: list[Recorded] = []
        while page := await store.read(execution, after=len(found), limit=100_000):
            found += page
        return found

    async def summary(self, execution: str) -> Summary:
        """Return what lists show."""
        found = await self.summaries.get("default", execution)
        assert found is not None
        return found

    async def ends(self, execution: str) -> Summary:
        """Wait for the end."""

        async def ended() -> bool:
            return (await self.summary(execution)).ended_at is not None

        await eventually(ended)
        return await self.summary(execution)


def started(
    caller: Caller = ADA,
    *,
    input: JsonValue = None,
    key: str | None = None,
    wait: float = 0.0,
    priority: int = 0,
    run_at: datetime | None = None,
) -> StartExecution:
    """Ask for an execution of what ``publish`` has published."""
    return StartExecution(
        caller,
        "test",
        "spec",
        None,
        {} if input is None else input,
        priority=priority,
        run_at=run_at,
        idempotency_key=key,
        wait=wait,
    )


def cancelled(execution: str) -> CancelExecution:
    """Ask to cancel."""
    return CancelExecution(ADA, execution, "no longer needed")


def suspended(execution: str) -> SuspendExecution:
    """Ask to suspend."""
    return SuspendExecution(ADA, execution, "hold on")


def resumed(execution: str) -> ResumeExecution:
    """Ask to resume."""
    return ResumeExecution(ADA, execution, "go on")


def retried(execution: str, from_task: str = "") -> RetryExecution:
    """Ask to retry."""
    return RetryExecution(ADA, execution, "again", from_task)
