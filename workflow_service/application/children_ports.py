"""What running other workflows needs of the store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from workflow_service.application.ports import Summary
from workflow_service.domain.execution.origin import ParentTask


class OpenChild(msgspec.Struct, frozen=True):
    """An execution that has not ended, and that a task of another one runs."""

    execution: str
    tenant: str
    owner: str
    parent: ParentTask


class Children(Protocol):
    """Executions that tasks of other executions run."""

    async def ended_among(self, executions: Sequence[str]) -> Sequence[Summary]:
        """Return those of *executions* that have ended."""
        ...

    async def open_children(self, after: str, limit: int) -> Sequence[OpenChild]:
        """Return executions of tasks that have not ended, ordered by id, those above *after*."""
        ...
