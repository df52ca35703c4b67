"""Who asks, and what is theirs to see."""

from __future__ import annotations

from dataclasses import dataclass

from chassis.errors import NotFound
from workflow_service.application.ports import Summaries, Summary


class ExecutionNotFound(NotFound):
    """There is no such execution, or it is somebody else's: nobody can tell which."""

    def __init__(self) -> None:
        super().__init__("there is no such execution")


@dataclass(frozen=True, slots=True)
class Caller:
    """A user. Everything is within the own tenant; executions of others need a permission."""

    id: str
    tenant: str
    reads_all: bool = False
    writes_all: bool = False

    def may_see(self, summary: Summary) -> bool:
        """Whether the execution may be known to the caller."""
        return self._reaches(summary, everything=self.reads_all)

    def may_change(self, summary: Summary) -> bool:
        """Whether the execution is the caller's to cancel, suspend, resume and retry."""
        return self._reaches(summary, everything=self.writes_all)

    def _reaches(self, summary: Summary, *, everything: bool) -> bool:
        return summary.tenant == self.tenant and (everything or summary.owner == self.id)


async def seen(summaries: Summaries, caller: Caller, execution: str) -> Summary:
    """Return the execution if *caller* may see it.

    Raises:
        ExecutionNotFound: it is not there, or not for the caller.
    """
    summary = await summaries.get(caller.tenant, execution)
    if summary is None or not caller.may_see(summary):
        raise ExecutionNotFound
    return summary


async def changeable(summaries: Summaries, caller: Caller, execution: str) -> Summary:
    """Return the execution if it is the *caller*'s to change.

    Raises:
        ExecutionNotFound: it is not there, or not for the caller.
    """
    summary = await summaries.get(caller.tenant, execution)
    if summary is None or not caller.may_change(summary):
        raise ExecutionNotFound
    return summary
