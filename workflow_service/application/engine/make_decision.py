"""Makes decisions where they may take their time, and puts them into the form in which they become durable."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Final, TypeVar

from chassis.errors import Unavailable
from workflow_service.application.engine.active import Known
from workflow_service.application.engine.summaries import summarise
from workflow_service.application.ports import Commit, IdempotencyKey
from workflow_service.domain.execution.commands import Stimulus
from workflow_service.domain.execution.decide import Decision, decide
from workflow_service.domain.execution.environment import Environment
from workflow_service.domain.execution.listening import subscription_change
from workflow_service.domain.execution.schedule import wake_at
from workflow_service.domain.execution.state import Open, State
from workflow_service.domain.expressions import ExpressionsUnavailable, NeedsWorker

_EVENTS_A_FRAME: Final = 4
"""So many events of a task a snapshot of it is worth: its whole life in a list."""
R = TypeVar("R")


class MakeDecision:
    """Decides on the event loop what is quick, and in one of a few threads what may not be."""

    def __init__(self, threads: int) -> None:
        self._threads = ThreadPoolExecutor(threads, "decision")

    def stop(self) -> None:
        """Begin nothing in threads any more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def __call__(
        self, known: Known, stimulus: Stimulus, environment: Environment
    ) -> Decision:
        """Decide here if that is quick, else again in a thread: a decision that was given up has done nothing.

        Raises:
            CommandRefused: a person asked for what this phase does not allow.
            Unavailable: too many costly expressions are being evaluated.
        """
        try:
            return decide(known.definition, known.state, stimulus, environment)
        except NeedsWorker:
            patient = replace(environment, may_block=True)
        return await self.patiently(
            lambda: decide(known.definition, known.state, stimulus, patient)
        )

    async def patiently(self, work: Callable[[], R]) -> R:
        """Do *work*, which may evaluate costly expressions, in a thread.

        Raises:
            Unavailable: too many costly expressions are being evaluated.
        """
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._threads, work)
        except ExpressionsUnavailable as busy:
            raise Unavailable("too many costly expressions at once", retry_after=1.0) from busy


def commit_of(
    execution: str,
    known: Known,
    decision: Decision,
    environment: Environment,
    *,
    snapshot_every: int,
    idempotency: IdempotencyKey | None,
) -> Commit:
    """Return what makes *decision*, made on *known*, durable."""
    state, now = decision.state, environment.now
    ahead = known.sequence + len(decision.events) - known.snapshot_sequence
    return Commit(
        execution=execution,
        expected=known.sequence,
        epoch=known.epoch,
        at=now,
        events=decision.events,
        summary=summarise(known.summary, decision.events, state, now),
        wake_at=wake_at(state, now),
        busy=decision.more or decision.awaiting,
        snapshot=state if ahead >= _apart(state, snapshot_every) else None,
        idempotency=idempotency,
        subscriptions=subscription_change(known.definition, known.state, state, decision.events),
    )


def _apart(state: State, every: int) -> int:
    """Return how many events lie between two snapshots: more for a wide state, which costs more to write."""
    frames = len(state.frames) if isinstance(state, Open) else 0
    return max(every, _EVENTS_A_FRAME * frames)
