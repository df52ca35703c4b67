"""The thin shell around the core: one durable commit per advance, and only then the effects.

Every stimulus of an execution waits for its turn; the decision is made on what this process knows, or on what the store
knows when that may be newer; a commit that is refused is decided again. Effects run beside, and their outcomes come
back as stimuli.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import partial
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
from workflow_service.application.engine.lending import Lending, lend_nothing
from workflow_service.application.engine.listeners import Listeners
from workflow_service.application.engine.load_execution import LoadExecution
from workflow_service.application.engine.make_decision import MakeDecision
from workflow_service.application.engine.outliving import whatever_the_caller_does
from workflow_service.application.engine.perform_effects import Effects
from workflow_service.application.engine.quota import OpenExecutions
from workflow_service.application.engine.reconcile import Reconciler
from workflow_service.application.engine.settings import DEFAULT_SETTINGS, EngineSettings, room_of
from workflow_service.application.engine.settling import Settling
from workflow_service.application.engine.slots import FairGate, Slots
from workflow_service.application.engine.steps import Aftermath, Steps
from workflow_service.application.event_ports import EventPorts
from workflow_service.application.ports import (
    Alone,
    Definitions,
    EventStore,
    IdempotencyKey,
    Progress,
    Runner,
    Sharing,
    StaleOwner,
    Summary,
    VersionConflict,
)
from workflow_service.application.reached import reached
from workflow_service.domain.definition.model import Definition
from workflow_service.domain.execution.commands import (
    Accept,
    Asked,
    ReceiveEvent,
    Retry,
    Stimulus,
    Wake,
)
from workflow_service.domain.execution.limits import Limits
from workflow_service.domain.execution.state import NotStarted

_log = get_logger("workflow_service.engine")

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
        lending: Lending = lend_nothing,
        events: EventPorts | None = None,
        sharing: Sharing | None = None,
    ) -> None:
        self._node = node
        self._store = store
        self._progress = progress
        self._supervisor = supervisor
        self._settings = settings
        self._load = LoadExecution(store, definitions, compiled)
        self._decide = MakeDecision(settings.decision_threads)
        self._active = ActiveExecutions()
        self._settling = Settling(node, self._active, supervisor, self._advance)
        self._stopping = False
        self._quota = OpenExecutions(store, clock, settings.open_executions)
        self._slots = Slots(room_of(settings), reached)
        self._turns = FairGate(settings.advances_at_once, settings.tenant_weights)
        self._effects = Effects(runner, self._slots, self._active, supervisor, self._advance)
        self._timers = Timers(
            store, clock, supervisor, self._advance, at_once=settings.wakes_at_once
        )
        self.reconciler = Reconciler(
            store, node, self._settling.attends, self.take_up, self._settling.succeed
        )
        self.endings = Endings()
        self._listeners: Listeners | None = None
        if events is not None:
            self._listeners = Listeners(
                events, clock, settings.subscriptions, definitions, compiled, self._decide
            )
        self._steps = Steps(
            store=store,
            clock=clock,
            random=random or Random(),  # noqa: S311 - jitter, not secrets
            limits=limits,
            snapshot_every=settings.snapshot_every,
            lending=lending,
            decide=self._decide,
            listeners=self._listeners,
            aftermath=Aftermath(
                progress, self._effects, self._timers, self._quota, self.endings, sharing or Alone()
            ),
        )

    # ------------------------------------------------------------ life

    def start(self) -> None:
        """Take up what an earlier owner left, and fire timers from now on."""
        _ = self._supervisor.start("recovery", self._recover())
        _ = self._supervisor.start("timers", self._timers.run())
        if self._listeners is not None:
            _ = self._supervisor.start(
                "listeners", self._listeners.run(self._advance, self._supervisor)
            )

    async def _recover(self) -> None:
        await self.take_up()
        if self._settings.reconcile_every > 0:
            await self.reconciler.run(self._settings.reconcile_every)

    async def take_up(self) -> None:
        """Go on with what no living owner works on."""
        taken = await take_up(self._store, self._node, self._settling.succeed)
        if taken:
            _log.info("recovered", executions=taken)

    def drain(self) -> None:
        """Begin no effects any more: those under way may end, and what comes of them is recorded."""
        self._effects.stop()

    def stop(self) -> None:
        """Take on nothing new: what is under way may end, and the supervisor stops everything else."""
        self._stopping = True
        self._settling.stop()
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
        """Take on a new execution and advance it; when this returns, it is durable, and may have more to do at once.

        Raises:
            StartedBefore: the idempotency key is in use.
            TooManyExecutions: the tenant has as many open ones as it may have.
            Unavailable: the store cannot commit now; whether it did is not known.
        """
        known = Known(definition, NotStarted(), 0, 1, None, 0)
        await self._quota.admit(accept.tenant)
        try:
            return await self._run(
                "begin", partial(self._advance, accept.execution, accept, known, idempotency)
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
        return await self._run("advance", partial(self._advance, execution, stimulus))

    async def revive(self, execution: str, tenant: str, stimulus: Retry) -> Summary:
        """Open a faulted execution of *tenant* again.

        Raises:
            TooManyExecutions: the tenant has as many open ones as it may have.
            ServiceError: as ``stimulate`` does.
        """
        await self._quota.admit(tenant)
        try:
            return await self.stimulate(execution, stimulus)
        except ServiceError:
            self._quota.ended(tenant)
            raise

    @asynccontextmanager
    async def turn(self, execution: str) -> AsyncIterator[None]:
        """Keep this engine from committing anything to *execution*."""
        with self._active.use(execution) as active:
            async with active.turn:
                yield

    def forget(self, execution: str) -> None:
        """It has ended without this engine: stop its effects, and load before the next decision."""
        if (active := self._active.get(execution)) is not None:
            active.known = None
            active.stop_unawaited()

    def ended_elsewhere(self, execution: str, summary: Summary, sequence: int) -> None:
        """The history was ended past this engine."""
        self.forget(execution)
        self._progress.changed(execution, sequence, ended=True)
        self._quota.ended(summary.tenant)
        self.endings.ended(execution, summary)

    async def _run(self, name: str, work: Callable[..., Coroutine[Any, Any, Summary]]) -> Summary:
        if self._stopping:
            raise Unavailable("the service is stopping; try again", retry_after=1.0)
        return await whatever_the_caller_does(self._supervisor, name, work)

    # ------------------------------------------------------------ advancing

    async def _advance(
        self,
        execution: str,
        stimulus: Stimulus,
        known: Known | None = None,
        idempotency: IdempotencyKey | None = None,
        tell: Callable[[Summary], None] = lambda _: None,
    ) -> Summary:
        """Feed *stimulus*, and then go on for as long as there is more to do at once.

        Others get their turn in between. *tell* is called when what follows on the stimulus itself is durable.
        """
        with self._active.use(execution) as active:
            active.known = active.known or known
            async with active.turn:
                summary, more = await self._settled(active, execution, stimulus, idempotency)
            # Else it was ended past this engine, and is looked at again.
            if active.known is not None:
                tell(summary)
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
            remembered = active.known is not None
            known = active.known or await self._loaded(active, execution)
            before = known.sequence
            try:
                done = await self._steps.step(active, known, execution, stimulus, idempotency)
                if not (
                    remembered and isinstance(stimulus, ReceiveEvent) and known.sequence == before
                ):
                    return done
                # Nobody brings an event twice: who did not want it is asked again on what the store knows.
                active.known = None
            except VersionConflict:
                active.known = None  # somebody else moved it on: decide on what is there now
            except StaleOwner:
                active.known = None
                active.stop_unawaited()
                if not isinstance(stimulus, Asked):
                    raise  # whoever took over sees to it; what people ask for is answered here
            except Unavailable:
                active.known = None  # the commit may be there although its answer is not
                self._settling.settle(execution)
                raise
        raise Unavailable("the execution is changing too fast; try again", retry_after=1.0)

    async def _loaded(self, active: Active, execution: str) -> Known:
        active.known = await self._load(execution)
        active.stop_unawaited()
        return active.known
