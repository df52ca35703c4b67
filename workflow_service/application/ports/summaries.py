"""Executions as lists and questions see them."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

import msgspec

from workflow_service.application.ports.paging import Page
from workflow_service.domain.execution.origin import Origin
from workflow_service.domain.execution.problem import Problem
from workflow_service.domain.execution.state import Status
from workflow_service.domain.expressions import JsonValue


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """What lists and questions need of an execution, kept up to date in the same commit as its events."""

    execution: str
    tenant: str
    owner: str
    namespace: str
    name: str
    version: str
    digest: str
    status: Status
    priority: int
    tags: JsonValue
    """As given: an object of strings, an array of strings, or None."""
    input: JsonValue
    output: JsonValue | msgspec.UnsetType = msgspec.UNSET
    problem: Problem | None = None
    created_at: datetime
    run_at: datetime | None = None
    origin: Origin | None = None
    """What started it, if nobody asked for it."""
    started_at: datetime | None = None
    ended_at: datetime | None = None


class ExecutionFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which executions a list shows. None or empty: all."""

    tenant: str
    owner: str | None = None
    statuses: tuple[str, ...] = ()
    namespace: str | None = None
    name: str | None = None
    version: str | None = None
    tag: str | None = None
    """An element of an array of tags; of an object: a key, or ``key=value`` or ``key:value``."""
    parent: str | None = None
    """The execution whose tasks run them."""
    schedule: str | None = None
    """Id of the schedule that starts them."""
    created_from: datetime | None = None
    created_to: datetime | None = None


class Summaries(Protocol):
    """Executions as lists show them."""

    async def get(self, tenant: str, execution: str) -> Summary | None:
        """Return one."""
        ...

    async def list(self, wanted: ExecutionFilter, limit: int, cursor: str | None) -> Page[Summary]:
        """Return those that match, newest first."""
        ...
