"""List executions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, get_args

from workflow_service.application.caller import Caller
from workflow_service.application.ports import ExecutionFilter, Page, Summaries, Summary
from workflow_service.application.queries.paging import page_limit, refused
from workflow_service.domain.execution.state import Status

_STATUSES: Final = get_args(Status)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListExecutions:
    """List the executions that the caller may see and that match all filters, newest first.

    None or empty means: any. A page may end before its limit when its contents are large.
    """

    caller: Caller
    statuses: tuple[str, ...] = ()
    namespace: str | None = None
    name: str | None = None
    version: str | None = None
    tag: str | None = None
    parent: str | None = None
    """Only those that tasks of this execution run."""
    begin: datetime | None = None
    """Made at that time or later."""
    end: datetime | None = None
    """Made at that time or before."""
    limit: int | None = None
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class ListExecutionsHandler:
    """Raises ``Invalid`` for unknown statuses, limits and cursors."""

    summaries: Summaries

    async def __call__(self, query: ListExecutions) -> Page[Summary]:
        for status in query.statuses:
            if status not in _STATUSES:
                raise refused("status", f"is none of {', '.join(_STATUSES)}")
        caller = query.caller
        wanted = ExecutionFilter(
            tenant=caller.tenant,
            owner=None if caller.reads_all else caller.id,
            statuses=query.statuses,
            namespace=query.namespace,
            name=query.name,
            version=query.version,
            tag=query.tag,
            parent=query.parent,
            created_from=query.begin,
            created_to=query.end,
        )
        return await self.summaries.list(wanted, page_limit(query.limit), query.cursor)
