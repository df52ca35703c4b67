"""Explain why an execution is not moving."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from chassis.clock import Clock
from workflow_service.application.caller import Caller, ExecutionNotFound
from workflow_service.application.engine.loading import restore
from workflow_service.application.ports import EventStore, FunctionsServed, NobodyServes
from workflow_service.domain.execution.events import WorkflowCancelled, WorkflowSuspended
from workflow_service.domain.execution.explain import Explanation, explain

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
        return explain(restore(stored), self.clock.now(), decided, self.functions.lacks)

    async def _decided(
        self, execution: str, sequence: int
    ) -> WorkflowSuspended | WorkflowCancelled | None:
        recent = await self.events.read(execution, after=max(0, sequence - RECENT), limit=RECENT)
        facts = (recorded.event for recorded in reversed(recent))
        return next(
            (f for f in facts if isinstance(f, WorkflowSuspended | WorkflowCancelled)), None
        )
