"""Get one execution."""

from __future__ import annotations

from dataclasses import dataclass

from workflow_service.application.caller import Caller, seen
from workflow_service.application.ports import Summaries, Summary


@dataclass(frozen=True, slots=True)
class GetExecution:
    """Get an execution that the caller may see."""

    caller: Caller
    execution: str


@dataclass(frozen=True, slots=True)
class GetExecutionHandler:
    """Raises ``ExecutionNotFound``."""

    summaries: Summaries

    async def __call__(self, query: GetExecution) -> Summary:
        return await seen(self.summaries, query.caller, query.execution)
