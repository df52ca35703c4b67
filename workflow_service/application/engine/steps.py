"""One step of an execution: a decision, its durable commit, and only then what follows on it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random

from chassis.clock import Clock
from workflow_service.application.engine.active import Active, Known
from workflow_service.application.engine.endings import Endings
from workflow_service.application.engine.fire_timers import Timers
from workflow_service.application.engine.lending import Lending, lent_to
from workflow_service.application.engine.listeners import Listeners
from workflow_service.application.engine.load_execution import ExecutionVanished
from workflow_service.application.engine.make_decision import MakeDecision, commit_of
from workflow_service.application.engine.perform_effects import Effects
from workflow_service.application.engine.quota import OpenExecutions
from workflow_service.application.engine.traces import tell_ended, trace_of
from workflow_service.application.ports import (
    Commit,
    EventStore,
    IdempotencyKey,
    Progress,
    Sharing,
    Summary,
)
from workflow_service.application.reached import reached
from workflow_service.domain.execution.commands import Accept, Stimulus
from workflow_service.domain.execution.decide import Decision
from workflow_service.domain.execution.environment import Environment
from workflow_service.domain.execution.lending import NOTHING_LENT
from workflow_service.domain.execution.limits import Limits
from workflow_service.domain.execution.schedule import is_left
from workflow_service.domain.execution.state import Ended


@dataclass(frozen=True, slots=True)
class Aftermath:
    """Who hears of what has been committed."""

    progress: Progress
    effects: Effects
    timers: Timers
    quota: OpenExecutions
    endings: Endings
    sharing: Sharing

    def committed(self, active: Active, known: Known, commit: Commit, decision: Decision) -> None:
        """The facts are durable: tell who watches, stop what is no longer awaited, let new effects go."""
        ended = isinstance(known.state, Ended)
        self.progress.changed(commit.execution, known.sequence, ended=ended)
        if active.effects:
            active.stop_unawaited()
        for effect in decision.effects:
            self.effects.let_go(commit.execution, active, effect, commit.summary)
        if ended:
            self.quota.ended(commit.summary.tenant)
            self.endings.ended(commit.execution, commit.summary)
        elif commit.wake_at is not None and not decision.more:
            self.timers.expect(commit.wake_at)
            if is_left(known.state):
                self.sharing.offer(commit.summary)


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """Takes executions on, a commit at a time."""

    store: EventStore
    clock: Clock
    random: Random
    limits: Limits
    snapshot_every: int
    lending: Lending
    decide: MakeDecision
    listeners: Listeners | None
    aftermath: Aftermath

    async def step(
        self,
        active: Active,
        known: Known,
        execution: str,
        stimulus: Stimulus,
        idempotency: IdempotencyKey | None,
    ) -> tuple[Summary, bool]:
        """Decide once, commit, and only then let the effects go.

        Returns what the execution then is, and whether it has more to do at once.

        Raises:
            ExecutionVanished: it never began.
            VersionConflict: the history has moved on since *known*.
            StaleOwner: another owner has taken it over.
            Unavailable: the store cannot commit now; whether it did is not known.
        """
        lent = NOTHING_LENT
        if known.definition.secrets:
            lent = await lent_to(self.lending, known, stimulus, execution)
        environment = Environment(self.clock.now(), self.random, self.limits, lent=lent)
        decision = await self.decide(known, stimulus, environment)
        if not decision.events:
            if known.summary is None:
                raise ExecutionVanished(f"execution {execution} never began")
            return known.summary, decision.more
        commit = self.commit_of(execution, known, decision, environment, idempotency)
        if self.listeners is not None and not await self.listeners.admit(commit):
            environment = replace(environment, may_listen=False)
            decision = await self.decide(known, stimulus, environment)
            commit = self.commit_of(execution, known, decision, environment, idempotency)
        await self.store.append(commit)
        if active.known is not known:  # ended past this engine before the answer came: look again
            return commit.summary, True
        trace = stimulus.trace if isinstance(stimulus, Accept) else trace_of(known)
        known.state, known.summary = decision.state, commit.summary
        known.sequence += len(commit.events)
        if commit.snapshot is not None:
            known.snapshot_sequence = known.sequence
        self.aftermath.committed(active, known, commit, decision)
        if trace and isinstance(known.state, Ended):
            tell_ended(trace, commit.summary)
        if decision.more:
            reached("tasks_per_advance")
        return commit.summary, decision.more

    def commit_of(
        self,
        execution: str,
        known: Known,
        decision: Decision,
        environment: Environment,
        idempotency: IdempotencyKey | None,
    ) -> Commit:
        """Return what makes *decision* durable."""
        every = self.snapshot_every
        return commit_of(
            execution, known, decision, environment, snapshot_every=every, idempotency=idempotency
        )
