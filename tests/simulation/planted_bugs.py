"""Bugs planted one by one, to see whether the simulator would find them. Each replaces one function of the product
(or of the simulated store) by one that makes a mistake that somebody could make."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

from msgspec.structs import replace

from chassis.errors import Unavailable
from tests.simulation.memory_store import MemoryTables, Row
from tests.simulation.network import RemoteStore
from workflow_service.adapters.payloads import CommitEncoding
from workflow_service.application.commands import cancel_execution
from workflow_service.application.commands.cancel_execution import CancelExecutionHandler
from workflow_service.application.commands.start_execution import StartExecutionHandler
from workflow_service.application.engine import make_decision
from workflow_service.application.engine.engine import Engine
from workflow_service.application.engine.fire_timers import Timers
from workflow_service.application.engine.settling import Settling
from workflow_service.application.engine.steps import Steps
from workflow_service.application.ports import Commit, Summary, VersionConflict
from workflow_service.domain.execution import (
    arrivals,
    interventions,
    revival,
    schedule,
    undoing,
    waking,
)
from workflow_service.domain.execution.advance import Advance
from workflow_service.domain.execution.effects import Effect
from workflow_service.domain.execution.events import TaskCompleted, TaskCreated, TaskStarted
from workflow_service.domain.execution.schedule import performing
from workflow_service.domain.execution.state import Forking, Open, Performing, State
from workflow_service.domain.execution.tasks import workflow
from workflow_service.domain.execution.tasks.fork import Fork
from workflow_service.domain.execution.workflow_events import WorkflowResumed


@dataclass(frozen=True, slots=True)
class Bug:
    """A mistake, and where it is made."""

    name: str
    what: str
    target: object
    attribute: str
    mistake: Callable[[Any], Any]
    """From the right function to the wrong one."""
    rare: bool = False
    """Whether it takes thousands of seeds to find it."""

    @contextmanager
    def planted(self) -> Iterator[None]:
        """Make the mistake for a while."""
        right = getattr(self.target, self.attribute)
        with patch.object(self.target, self.attribute, self.mistake(right)):
            yield


def _effects_first(right: Any) -> Any:
    def commit_of(self: Steps, execution: str, known: Any, decision: Any, *rest: Any) -> Commit:
        commit: Commit = right(self, execution, known, decision, *rest)
        effects = self.aftermath.effects
        active = effects._active.get(execution)
        for effect in decision.effects:
            assert active is not None
            effects.let_go(execution, active, effect, commit.summary)
        return commit

    return commit_of


def _lazy_commits(right: Any) -> Any:
    async def append(self: RemoteStore, commit: Commit) -> None:
        pure = all(isinstance(e, TaskCreated | TaskStarted | TaskCompleted) for e in commit.events)
        if not (commit.expected and pure and commit.busy and commit.wake_at is not None):
            await right(self, commit)

    return append


def _no_timer_beside_effects(right: Any) -> Any:
    def wake_at(state: State, now: datetime) -> datetime | None:
        if isinstance(state, Open) and performing(state):
            return None
        found: datetime | None = right(state, now)
        return found

    return wake_at


def _cancel_the_ended(_: Any) -> Any:
    async def attempt(self: CancelExecutionHandler, command: Any) -> Summary | None:
        head = await self.store.head(command.execution)
        assert head is not None
        commit = cancel_execution._cancellation(head, command, self.clock.now())
        try:
            await self.store.append(commit)
        except VersionConflict:
            return None
        self.engine.ended_elsewhere(command.execution, commit.summary, head.sequence + 1)
        return commit.summary

    return attempt


def _epochs_ignored(_: Any) -> Any:
    def at(self: MemoryTables, commit: Commit) -> Row:
        row = self.rows.get(commit.execution)
        if row is None or row.sequence != commit.expected:
            raise VersionConflict("the execution has moved on")
        return row

    return at


def _versions_ignored(right: Any) -> Any:
    def at(self: MemoryTables, commit: Commit) -> Row:
        row = self.rows.get(commit.execution)
        if row is not None:
            commit = replace(commit, expected=row.sequence, epoch=max(row.epoch, commit.epoch))
        found: Row = right(self, commit)
        return found

    return at


def _starts_acknowledged_anyway(right: Any) -> Any:
    async def begin(self: Engine, definition: Any, accept: Any, idempotency: Any) -> Summary:
        try:
            summary: Summary = await right(self, definition, accept, idempotency)
        except Unavailable:
            return Summary(
                execution=accept.execution,
                tenant=accept.tenant,
                owner=accept.owner,
                namespace=definition.namespace,
                name=definition.name,
                version=definition.version,
                digest=definition.digest,
                status="running",
                priority=accept.priority,
                tags=None,
                input=accept.input,
                created_at=self._steps.clock.now(),
            )
        return summary

    return begin


def _any_outcome(_: Any) -> Any:
    return lambda frame, number: isinstance(frame.activity, Performing)


def _key(make: Callable[[Advance, Any, int], str]) -> Callable[[Any], Any]:
    def mistake(_: Any) -> Any:
        def perform(self: Advance, frame: Any, task: Any, call: Any) -> None:
            number = self.opened.effects + 1
            effect = Effect(number, make(self, frame, number), call)
            self.started(frame, task, Performing(effect))

        return perform

    return mistake


def _from_the_beginning(right: Any) -> Any:
    def position(*arguments: Any) -> Open:
        found: Open = right(*arguments)
        return replace(found, frames={}, started_at=None, deadline=None)

    return position


def _timers_in_suspension(_: Any) -> Any:
    return lambda opened: min(schedule.timers(opened), default=None)


def _losers_count(right: Any) -> Any:
    def child_ended(self: Fork, advance: Advance, frame: Any, task: Any, directive: str) -> None:
        outputs = frame.doing(Forking).outputs
        if not task.compete:
            right(self, advance, frame, task, directive)
        elif len(outputs) > 1:
            advance.cancel_inside(frame.id)
            advance.complete(frame.id, list(outputs.values())[-1])

    return child_ended


def _old_snapshots(right: Any) -> Any:
    def commit_of(self: Steps, execution: str, known: Any, *rest: Any) -> Commit:
        commit: Commit = right(self, execution, known, *rest)
        if commit.snapshot is None:
            return commit
        return replace(commit, snapshot=known.state)

    return commit_of


def _only_one_value(right: Any) -> Any:
    return property(lambda encoding: right.fget(encoding)[:1])


def _never_busy(right: Any) -> Any:
    return lambda *arguments: replace(right(*arguments), busy=False)


def _not_resumed(_: Any) -> Any:
    async def succeed(self: Settling, execution: str) -> None:
        return

    return succeed


def _old_epoch(right: Any) -> Any:
    def take_over(self: MemoryTables, owner: str, limit: int) -> list[str]:
        taken: list[str] = right(self, owner, limit)
        for execution in taken:
            self.rows[execution].epoch -= 1
        return taken

    return take_over


def _no_key(_: Any) -> Any:
    return lambda self, command: None


def _early(right: Any) -> Any:
    def next_due(opened: Open) -> schedule.Due | None:
        due: schedule.Due | None = right(opened)
        return None if due is None else replace(due, at=due.at - timedelta(seconds=0.5))

    return next_due


def _once_only(_: Any) -> Any:
    return lambda self, execution: execution not in self._waking and execution not in self._failing


def _kept_outcomes_lost(_: Any) -> Any:
    def resume(advance: Advance, command: Any) -> None:
        advance.emit(WorkflowResumed(command.reason, command.by))
        waking.wake(advance)

    return resume


def _unsettled(_: Any) -> Any:
    return lambda self, execution: None


def _refused_after_stale(right: Any) -> Any:
    async def succeed(self: Settling, execution: str) -> None:
        await self.resume(execution)

    return succeed


def _nothing_undone(_: Any) -> Any:
    return lambda advance, ending: advance.emit(ending)


def _undone_as_often_as_done(right: Any) -> Any:
    def with_done(opened: Open, frame: Any, event: TaskCompleted) -> Open:
        found: Open = right(opened, frame, event)
        return replace(found, compensations=(*opened.compensations, found.compensations[-1]))

    return with_done


BUGS: tuple[Bug, ...] = (
    Bug("effects-first", "effects begin before their commit", Steps, "commit_of", _effects_first),
    Bug(
        "skipped-commit",
        "commits between two waits are left out",
        RemoteStore,
        "append",
        _lazy_commits,
    ),
    Bug(
        "forgotten-timer",
        "no wake-up while an effect is under way",
        make_decision,
        "wake_at",
        _no_timer_beside_effects,
    ),
    Bug(
        "one-wake-up",
        "a timer whose wake-up failed is never tried again",
        Timers,
        "_may_wake",
        _once_only,
    ),
    Bug("early-timer", "timers fire half a second early", waking, "next_due", _early),
    Bug(
        "doubled-end",
        "what has ended can be cancelled",
        CancelExecutionHandler,
        "_attempt",
        _cancel_the_ended,
    ),
    Bug("stale-append", "the store ignores epochs", MemoryTables, "_at", _epochs_ignored),
    Bug(
        "any-version", "the store ignores expected versions", MemoryTables, "_at", _versions_ignored
    ),
    Bug(
        "same-epoch", "taking over does not raise the epoch", MemoryTables, "take_over", _old_epoch
    ),
    Bug(
        "lost-start",
        "a start is acknowledged whatever the store said",
        Engine,
        "begin",
        _starts_acknowledged_anyway,
    ),
    Bug("no-key", "starts forget their idempotency key", StartExecutionHandler, "_key", _no_key),
    Bug("any-outcome", "an outcome is used for any effect", arrivals, "_performs", _any_outcome),
    Bug(
        "key-of-attempt",
        "the key is made from the attempt",
        Advance,
        "perform",
        _key(lambda self, frame, number: f"{self.opened.execution}:{frame.id}:{number}"),
    ),
    Bug(
        "key-of-task",
        "the key does not know the iteration",
        Advance,
        "perform",
        _key(lambda self, frame, number: f"{self.opened.execution}:{frame.task}"),
    ),
    Bug(
        "forgetful-retry",
        "a retry begins from the beginning",
        revival,
        "position",
        _from_the_beginning,
    ),
    Bug("restless", "timers fire during a suspension", waking, "next_due", _timers_in_suspension),
    Bug(
        "kept-outcome",
        "resuming forgets outcomes that came meanwhile",
        interventions,
        "resume",
        _kept_outcomes_lost,
    ),
    Bug("loser-counts", "a race is decided by the second", Fork, "child_ended", _losers_count),
    Bug(
        "lost-answer",
        "a commit of unknown fate is taken for failed",
        Settling,
        "settle",
        _unsettled,
    ),
    Bug("old-snapshot", "the snapshot misses the last events", Steps, "commit_of", _old_snapshots),
    Bug(
        "lost-value",
        "of the large values of a commit only one is stored",
        CommitEncoding,
        "payloads",
        _only_one_value,
    ),
    Bug("never-busy", "a new owner is not told of work under way", Steps, "commit_of", _never_busy),
    Bug("not-undone", "a fault undoes nothing", workflow, "wind_up", _nothing_undone),
    Bug(
        "undone-twice",
        "what a retry did again is undone twice",
        undoing,
        "with_done",
        _undone_as_often_as_done,
    ),
    Bug("not-resumed", "what was taken over is not resumed", Settling, "succeed", _not_resumed),
    Bug(
        "known-before",
        "a take-over trusts what was known before it",
        Settling,
        "succeed",
        _refused_after_stale,
        rare=True,
    ),
)
