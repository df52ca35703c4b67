"""The thin shell around the core: one durable commit per advance, and only then the effects.

Every stimulus of an execution waits for its turn; the decision is made on what this process knows, or on what the store
knows when that may be newer; a commit that is refused is decided again. Effects run beside, and their outcomes come
back as stimuli.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from random import Random
from typing import Any

from chassis.clock import Clock
from chassis.errors import ServiceError, Unavailable
from chassis.lifecycle import Supervisor
from chassis.telemetry.logging import get_logger
from workflow_service.application.compiled_definitions import CompiledDefinitions
from workflow_service.application.engine.active import Active, ActiveExecutions, Known
from workflow_service.application.engine.endings import Endings
from workflow_service.application.engine.fire_timers import Timers, take_up
from workflow_service.application.engine.load_execution import ExecutionVanished, LoadExecution
from workflow_service.application.engine.make_decision import MakeDecision, commit_of
from workflow_service.application.engine.perform_effects import Effects
from workflow_service.application.engine.quota import OpenExecutions
from workflow_service.application.engine.reconcile import Reconciler
from workflow_service.application.engine.settings import (
    DEFAULT_SETTINGS,
    EngineSettings,
    room_of,
)
from workflow_service.application.engine.slots import FairGate, Slots
from workflow_service.application.ports import (
    Commit,
    Definitions,
    EventStore,
    IdempotencyKey,
    Progress,
    Runner,
    StaleOwner,
    Summary,
    VersionConflict,
)
from workflow_service.application.reached import reached
from workflow_service.domain.definition.model import Definition
from workflow_service.domain.execution.advance import Environment
from workflow_service.domain.execution.commands import Accept, Asked, Recover, Stimulus, Wake
from workflow_service.domain.execution.decide import Decision
from workflow_service.domain.execution.limits import Limits
from workflow_service.domain.execution.state import Ended, NotStarted

_log = get_logger("workflow_service.engine")


_FIRST_DELAY = 0.1
_LONGEST_DELAY = 5.0

DEFAULT_LIMITS = Limits()


class Engine:
    """Advances executions."""

    def __init__(
        self,
        *,
        node: str,
        store: EventStore,
        definitions: Definitions,
        compiled: CompiledDefinitions,
        runner: Runner,
        progress: Progress,
        clock: Clock,
        supervisor: Supervisor,
        random: Random | None = None,
        limits: Limits = DEFAULT_LIMITS,
        settings: EngineSettings = DEFAULT_SETTINGS,
    ) -> None:
        self._node = node
        self._store = store
        self._progress = progress
        self._clock = clock
        self._supervisor = supervisor
        self._random = random or Random()  # noqa: S311 - jitter, not secrets
        self._limits = limits
        self._settings = settings
        self._load = LoadExecution(store, definitions, compiled)
        self._decide = MakeDecision(settings.decision_threads)
        self._active = ActiveExecutions()
        self._settling: set[str] = set()
        self._unsettled: set[str] = set()
        self._stopping = False
        self._quota = OpenExecutions(store, clock, settings.open_executions)
        self._slots = Slots(room_of(settings), reached)
        self._turns = FairGate(settings.advances_at_once, settings.tenant_weights)
        self._effects = Effects(runner, self._slots, self._active, supervisor, self._advance)
        self._timers = Timers(
            store, clock, supervisor, self._advance, at_once=settings.wakes_at_once
        )
        self.reconciler = Reconciler(store, node, self._attends, self._take_up, self._succeed)
        self.endings = Endings()

    # ------------------------------------------------------------ life

    def start(self) -> None:
        """Take up what an earlier owner left, and fire timers from now on."""
        _ = self._supervisor.start("recovery", self._recover())
        _ = self._supervisor.start("timers", self._timers.run())

    async def _recover(self) -> None:
        await self._take_up()
        if self._settings.reconcile_every > 0:
            await self.reconciler.run(self._settings.reconcile_every)

    async def _take_up(self) -> None:
        taken = await take_up(self._store, self._node, self._succeed)
        if taken:
            _log.info("recovered", executions=taken)

    def _attends(self, execution: str) -> bool:
        active = self._active.get(execution)
        return execution in self._settling or (active is not None and active.attended)

    def stop(self) -> None:
        """Take on nothing new: what is under way may end, and the supervisor stops everything else."""
        self._stopping = True
        self._effects.stop()
        self._decide.stop()

    @property
    def effects_waiting(self) -> int:
        """How many effects wait for room."""
        return self._slots.waiting

    # ------------------------------------------------------------ for use cases

    async def begin(
        self, definition: Definition, accept: Accept, idempotency: IdempotencyKey | None
    ) -> Summary:
        """Take on a new execution and advance it; when this returns, it is durable.

        Raises:
            StartedBefore: the idempotency key is in use.
            TooManyExecutions: the tenant has as many open ones as it may have.
            Unavailable: the store cannot commit now; whether it did is not known.
        """
        known = Known(definition, NotStarted(), 0, 1, None, 0)
        await self._quota.admit(accept.tenant)
        try:
            return await self._whatever_the_caller_does(
                "begin", self._advance(accept.execution, accept, known, idempotency)
            )
        except ServiceError:
            self._quota.ended(accept.tenant)
            raise

    async def stimulate(self, execution: str, stimulus: Stimulus) -> Summary:
        """Feed one stimulus and return what the execution then is.

        Raises:
            ExecutionVanished: there is no such execution.
            CommandRefused: its phase does not allow what the stimulus asks for.
            Unavailable: the store cannot commit now.
        """
        return await self._whatever_the_caller_does("advance", self._advance(execution, stimulus))

    @asynccontextmanager
    async def turn(self, execution: str) -> AsyncIterator[None]:
        """Keep this engine from committing anything to *execution*."""
        with self._active.use(execution) as active:
            async with active.turn:
                yield

    def ended_elsewhere(self, execution: str, summary: Summary, sequence: int) -> None:
        """The history was ended past this engine: stop the effects, and load before the next decision."""
        active = self._active.get(execution)
        if active is not None:
            active.known = None
            active.stop_unawaited()
        self._progress.changed(execution, sequence, ended=True)
        self._quota.ended(summary.tenant)
        self.endings.ended(execution, summary)

    async def _whatever_the_caller_does(
        self, name: str, work: Coroutine[Any, Any, Summary]
    ) -> Summary:
        """Run *work* to its end even if the caller leaves: what is being committed must not be cut in two."""
        if self._stopping:
            work.close()
            raise Unavailable("the service is stopping; try again", retry_after=1.0)
        answer: asyncio.Future[Summary] = asyncio.get_running_loop().create_future()

        async def run() -> None:
            try:
                summary = await work
            except asyncio.CancelledError:
                answer.cancel()
                raise
            except Exception as failure:  # noqa: BLE001 - handed to the caller, who is still there
                if not answer.done():
                    answer.set_exception(failure)
                return
            if not answer.done():
                answer.set_result(summary)

        _ = self._supervisor.spawn(name, run())
        return await answer

    # ------------------------------------------------------------ advancing

    async def _advance(
        self,
        execution: str,
        stimulus: Stimulus,
        known: Known | None = None,
        idempotency: IdempotencyKey | None = None,
    ) -> Summary:
        """Feed *stimulus*, then go on for as long as there is more to do at once; others get their turn in between."""
        with self._active.use(execution) as active:
            active.known = active.known or known
            async with active.turn:
                summary, more = await self._settled(active, execution, stimulus, idempotency)
            while more:
                try:
                    async with self._turns.place(summary.tenant, summary.priority), active.turn:
                        summary, more = await self._settled(active, execution, Wake(), None)
                except StaleOwner:
                    return summary  # whoever took over goes on with the rest
                await asyncio.sleep(0)
            return summary

    async def _settled(
        self,
        active: Active,
        execution: str,
        stimulus: Stimulus,
        idempotency: IdempotencyKey | None,
    ) -> tuple[Summary, bool]:
        for _ in range(self._settings.conflicts):
            known = active.known or await self._loaded(active, execution)
            try:
                return await self._step(active, known, execution, stimulus, idempotency)
            except VersionConflict:
                active.known = None  # somebody else moved it on: decide on what is there now
            except StaleOwner:
                active.known = None
                active.stop_unawaited()
                if not isinstance(stimulus, Asked):
                    raise  # whoever took over sees to it; what people ask for is answered here
            except Unavailable:
                active.known = None  # the commit may be there although its answer is not
                self._settle(execution)
                raise
        raise Unavailable("the execution is changing too fast; try again", retry_after=1.0)

    def _settle(self, execution: str) -> None:
        """After a commit of unknown fate: go on with what it asked for, if it is there."""
        if execution in self._settling:
            self._unsettled.add(execution)  # what is under way may have looked before this commit
        elif not self._stopping:
            self._settling.add(execution)
            _ = self._supervisor.spawn("settle", self._resume(execution))

    async def _succeed(self, execution: str) -> None:
        """Go on with what this process took over: what it knew of it before was another owner's."""
        with self._active.use(execution) as active:
            async with active.turn:
                active.known = None
        await self._resume(execution)

    async def _resume(self, execution: str) -> None:
        """Perform what the execution waits for and nobody performs; the history says that it was taken up."""
        delay = _FIRST_DELAY
        try:
            while True:
                self._unsettled.discard(execution)
                try:
                    await self._advance(execution, Recover(self._node))
                except Unavailable as failure:
                    _log.warning("recovery_waits", execution=execution, reason=failure.message)
                    await asyncio.sleep(delay)
                    delay = min(delay * 2, _LONGEST_DELAY)
                except (ExecutionVanished, StaleOwner):
                    return
                else:
                    if execution not in self._unsettled:
                        return
        finally:
            self._settling.discard(execution)
            self._unsettled.discard(execution)

    async def _loaded(self, active: Active, execution: str) -> Known:
        active.known = await self._load(execution)
        active.stop_unawaited()
        return active.known

    async def _step(
        self,
        active: Active,
        known: Known,
        execution: str,
        stimulus: Stimulus,
        idempotency: IdempotencyKey | None,
    ) -> tuple[Summary, bool]:
        """Decide once, commit, and only then let the effects go."""
        environment = Environment(self._clock.now(), self._random, self._limits)
        decision = await self._decide(known, stimulus, environment)
        if not decision.events:
            if known.summary is None:
                raise ExecutionVanished(f"execution {execution} never began")
            return known.summary, decision.more
        commit = self._commit_of(execution, known, decision, environment, idempotency)
        await self._store.append(commit)
        if active.known is not known:  # ended past this engine before the answer came: look again
            return commit.summary, True
        known.state, known.summary = decision.state, commit.summary
        known.sequence += len(commit.events)
        if commit.snapshot is not None:
            known.snapshot_sequence = known.sequence
        self._committed(active, known, commit, decision)
        if decision.more:
            reached("tasks_per_advance")
        return commit.summary, decision.more

    def _commit_of(
        self,
        execution: str,
        known: Known,
        decision: Decision,
        environment: Environment,
        idempotency: IdempotencyKey | None,
    ) -> Commit:
        every = self._settings.snapshot_every
        return commit_of(
            execution, known, decision, environment, snapshot_every=every, idempotency=idempotency
        )

    def _committed(self, active: Active, known: Known, commit: Commit, decision: Decision) -> None:
        """The facts are durable: tell who watches, stop what is no longer awaited, let new effects go."""
        ended = isinstance(known.state, Ended)
        self._progress.changed(commit.execution, known.sequence, ended=ended)
        if active.effects:
            active.stop_unawaited()
        for effect in decision.effects:
            self._effects.let_go(commit.execution, active, effect, commit.summary)
        if ended:
            self._quota.ended(commit.summary.tenant)
            self.endings.ended(commit.execution, commit.summary)
        elif commit.wake_at is not None and not decision.more:
            self._timers.expect(commit.wake_at)
