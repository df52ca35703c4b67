"""A process that runs the engine, assembled from the product's own parts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, TypeVar

from chassis.errors import ServiceError
from chassis.lifecycle import Supervisor
from tests.simulation.evidence import Performed
from tests.simulation.network import KnownDefinitions, Line, RemoteStore, RemoteSummaries
from tests.simulation.remote_events import event_ports
from tests.simulation.universe import Life, NodeClock, Universe
from tests.simulation.workflows import EXPRESSIONS
from tests.support.ids import CountingIds
from workflow_service.application.commands.cancel_execution import CancelExecutionHandler
from workflow_service.application.commands.resume_execution import ResumeExecutionHandler
from workflow_service.application.commands.retry_execution import RetryExecutionHandler
from workflow_service.application.commands.start_execution import StartExecutionHandler
from workflow_service.application.commands.suspend_execution import SuspendExecutionHandler
from workflow_service.application.compiled_definitions import CompiledDefinitions
from workflow_service.application.engine.engine import Engine
from workflow_service.application.engine.load_execution import LoadExecution
from workflow_service.application.engine.settings import EngineSettings
from workflow_service.application.ports import StoredDefinition
from workflow_service.application.queries.get_definition import GetDefinitionHandler
from workflow_service.domain.execution.effects import Effect, Outcome
from workflow_service.domain.execution.limits import Limits

T = TypeVar("T")


class WatchedSupervisor(Supervisor):
    """A supervisor that reports what the work of a process died of."""

    def __init__(self, report: Callable[[str, BaseException], None]) -> None:
        super().__init__()
        self._report = report

    def _task(self, name: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        return super()._task(name, self._watched(name, work))

    async def _watched(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except ServiceError:
            raise  # an answer to somebody
        except Exception as failure:
            self._report(name, failure)
            raise


class SilentProgress:
    """Nobody watches."""

    def changed(self, execution: str, sequence: int, *, ended: bool) -> None:
        """Do nothing."""

    async def wait(self, execution: str, after: int, timeout: float) -> None:
        """Return at once."""


class ServicesRunner:
    """The ``Runner`` port: asks the services outside, which may take their time."""

    def __init__(self, universe: Universe, life: Life) -> None:
        self._universe = universe
        self._life = life

    async def perform(self, execution: str, effect: Effect) -> Outcome:
        """See ``Runner``."""
        universe, name = self._universe, self._life.name
        universe.note(Performed(universe.now, name, execution, effect))
        answer: asyncio.Future[Outcome] = self._life.loop.create_future()
        outcome = universe.services.outcome(execution, effect)

        def reply() -> None:
            if not self._life.loop.dead and not answer.done():
                answer.set_result(outcome)

        if universe.chance(universe.chances.crash_around_effect):
            universe.scheduler.later(0.0, lambda: universe.kill(name, "in an effect"))
        if universe.chance(universe.chances.effect_hangs):
            universe.hanging.append(reply)
        else:
            universe.scheduler.later(self._delay(), reply)
        return await answer

    def _delay(self) -> float:
        universe = self._universe
        if universe.chance(universe.chances.effect_slow):
            return universe.random.uniform(0.5, 20.0)
        return universe.random.choice((0.0, 0.01, 0.05))


@dataclass(slots=True)
class Node:
    """One running process."""

    life: Life
    engine: Engine
    store: RemoteStore
    start: StartExecutionHandler
    cancel: CancelExecutionHandler
    suspend: SuspendExecutionHandler
    resume: ResumeExecutionHandler
    retry: RetryExecutionHandler
    tasks: set[asyncio.Task[Any]]

    def serve(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Let the process work on a request."""
        task = self.life.loop.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task


LIMITS = (Limits(), Limits(tasks_per_advance=1), Limits(tasks_per_advance=3))
_SNAPSHOTS = (3, 8, 200)


def open_node(
    universe: Universe,
    definitions: Sequence[StoredDefinition],
    ids: CountingIds,
    limits: Limits,
    *,
    listens: bool = False,
) -> Node:
    """Start a process."""
    life = universe.birth(f"node-{len(universe.lives) + 1}")
    universe.happened(f"{life.name} starts")
    universe.crashed_since_birth = False
    line = Line(universe, life)
    store = RemoteStore(universe, life, line)
    known = KnownDefinitions(line, definitions)
    compiled = CompiledDefinitions(EXPRESSIONS)
    clock = NodeClock(universe, life.name)
    supervisor = WatchedSupervisor(_reporter(universe, life))
    random = universe.random
    if random.random() < 0.8:
        for definition in definitions:
            compiled.keep(universe.evidence.workflows[definition.digest].definition, 1)
    engine = Engine(
        node=life.name,
        store=store,
        definitions=known,
        compiled=compiled,
        runner=ServicesRunner(universe, life),
        progress=SilentProgress(),
        clock=clock,
        supervisor=supervisor,
        random=Random(random.random()),
        limits=limits,
        settings=EngineSettings(
            effects_at_once=random.choice((1, 2, 50)),
            snapshot_every=random.choice(_SNAPSHOTS),
            reconcile_every=0,  # it would mend what is to be found
        ),
        events=event_ports(universe.tables.events, line) if listens else None,
    )
    summaries = RemoteSummaries(universe, line)
    start = StartExecutionHandler(
        engine=engine,
        get_definition=GetDefinitionHandler(known),
        compiled=compiled,
        store=store,
        summaries=summaries,
        clock=clock,
        ids=ids,
        limits=limits,
    )
    node = Node(
        life,
        engine,
        store,
        start,
        CancelExecutionHandler(engine, store, clock, LoadExecution(store, known, compiled)),
        SuspendExecutionHandler(engine, summaries),
        ResumeExecutionHandler(engine, summaries),
        RetryExecutionHandler(engine, store, summaries),
        set(),
    )
    life.loop.call_soon(engine.start)
    return node


def _reporter(universe: Universe, life: Life) -> Callable[[str, BaseException], None]:
    def report(name: str, failure: BaseException) -> None:
        if not life.loop.dead:
            universe.evidence.failures.append(f"{life.name}: {name} died of {failure!r}")

    return report
