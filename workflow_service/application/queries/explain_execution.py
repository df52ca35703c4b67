"""Explain why an execution is not moving."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from chassis.clock import Clock
from workflow_service.application.caller import Caller, ExecutionNotFound
from workflow_service.application.engine.loading import restore
from workflow_service.application.ports import EventStore, FunctionsServed, NobodyServes, Summary
from workflow_service.domain.definition.model import Definition, ListenTask
from workflow_service.domain.events.telling import awaited
from workflow_service.domain.execution.explain import Explanation, Known, explain
from workflow_service.domain.execution.listeners import Listening
from workflow_service.domain.execution.state import Frame, Open, State
from workflow_service.domain.execution.workflow_events import WorkflowCancelled, WorkflowSuspended

DefinitionOf = Callable[[Summary], Awaitable[Definition]]

RECENT: Final = 200
"""How far back the fact is looked for that says who suspended or cancelled it, and why."""


@dataclass(frozen=True, slots=True)
class ExplainExecution:
    """Say what an execution waits for, since when, and what would unblock it."""

    caller: Caller
    execution: str


@dataclass(frozen=True, slots=True)
class ExplainExecutionHandler:
    """Raises ``ExecutionNotFound``."""

    events: EventStore
    clock: Clock
    definition_of: DefinitionOf
    functions: FunctionsServed = field(default_factory=NobodyServes)

    async def __call__(self, query: ExplainExecution) -> Explanation:
        head = await self.events.head(query.execution)
        if head is None or not query.caller.may_see(head.summary):
            raise ExecutionNotFound
        stored = await self.events.load(query.execution)
        if stored is None:
            raise ExecutionNotFound
        decided = None
        if stored.head.summary.status in {"suspended", "cancelled"}:
            decided = await self._decided(query.execution, stored.head.sequence)
        state = restore(stored)
        known = await self._known(state, stored.head.summary)
        return explain(state, self.clock.now(), decided, known)

    async def _known(self, state: State, summary: Summary) -> Known:
        frames = state.frames.values() if isinstance(state, Open) else ()
        if not any(isinstance(frame.activity, Listening) for frame in frames):
            return Known(self.functions.lacks)
        definition = await self.definition_of(summary)

        def awaited_by(frame: Frame) -> str:
            task = definition.tasks[frame.task]
            if isinstance(task, ListenTask) and isinstance(frame.activity, Listening):
                return awaited(task.to, frame.activity.progress)
            return "events"

        return Known(self.functions.lacks, awaited_by)

    async def _decided(
        self, execution: str, sequence: int
    ) -> WorkflowSuspended | WorkflowCancelled | None:
        decided: WorkflowSuspended | WorkflowCancelled | None = None
        after = max(0, sequence - RECENT)
        while recent := await self.events.read(execution, after=after, limit=RECENT):
            after = recent[-1].sequence
            for recorded in recent:
                if isinstance(recorded.event, WorkflowSuspended | WorkflowCancelled):
                    decided = recorded.event
        return decided
