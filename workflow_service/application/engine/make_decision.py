"""Makes decisions where they may take their time, and puts them into the form in which they become durable."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from chassis.errors import Unavailable
from workflow_service.application.engine.active import Known
from workflow_service.application.engine.loading import snapshot_of
from workflow_service.application.engine.summaries import summarise
from workflow_service.application.ports import Commit, IdempotencyKey
from workflow_service.domain.execution.advance import Environment
from workflow_service.domain.execution.commands import Stimulus
from workflow_service.domain.execution.decide import Decision, decide
from workflow_service.domain.execution.schedule import wake_at
from workflow_service.domain.expressions import ExpressionsUnavailable, NeedsWorker


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
            patient = Environment(
                environment.now, environment.random, environment.limits, may_block=True
            )
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(
                self._threads, decide, known.definition, known.state, stimulus, patient
            )
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
        snapshot=snapshot_of(state) if ahead >= snapshot_every else None,
        idempotency=idempotency,
    )
