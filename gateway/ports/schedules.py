"""When workflows start by themselves."""

from datetime import datetime
from typing import Literal, Protocol

from msgspec import Raw, Struct

from gateway.ports.common import Caller, Page, PageRequest
from gateway.ports.workflows import Execution, WorkflowReference


class Pause(Struct, frozen=True):
    """Since when nothing is started, who decided that, and why."""

    at: datetime | None
    by: str
    reason: str


class LastRun(Struct, frozen=True):
    """The latest tick that was started for; the execution is told to those who may see it."""

    at: datetime | None
    execution_id: str | None


class Schedule(Struct, frozen=True, kw_only=True):
    """The schedule of a workflow: that of its newest version."""

    id: str
    """Namespace and name of the workflow, with a point between them."""
    workflow: WorkflowReference
    owner: str
    """Who published it; its executions are theirs."""
    kind: str
    """every, cron, after or on."""
    seconds: float | None
    """Of every and after."""
    cron: str | None
    timezone: str | None
    on: Raw
    """The consumption strategy as it was written; null of the others."""
    read: str | None
    missed_policy: str
    overlap_policy: str
    since: datetime | None
    """From when on it has been as it is; periods are counted from there."""
    paused: Pause | None
    next_runs: list[datetime]
    last_run: LastRun | None
    started: int
    """Ticks that an execution was started for."""
    missed: int
    """Ticks that none was started for."""


class ScheduledRun(Struct, frozen=True):
    """An execution that a schedule has started."""

    execution_id: str
    kind: str
    """What started it: the kind of the schedule, or `trigger` when a person did."""
    at: datetime | None
    """The tick it was for."""
    status: str
    created_at: datetime | None
    ended_at: datetime | None


class ScheduleWithRuns(Schedule, frozen=True, kw_only=True):
    """A schedule with the last executions that it started, newest first."""

    last_runs: list[ScheduledRun]


Switch = Literal["pause", "resume"]


class Schedules(Protocol):
    """Schedules of the caller's tenant."""

    async def schedules(self, caller: Caller, page: PageRequest) -> Page[Schedule]:
        """All of them, by id."""

    async def schedule(self, caller: Caller, schedule: str) -> ScheduleWithRuns:
        """One.

        Raises:
            NotFound: there is none.
        """

    async def switch_schedule(
        self, caller: Caller, verb: Switch, schedule: str, reason: str
    ) -> Schedule:
        """Halt it, or let it go on.

        Raises:
            NotFound: there is none.
            PermissionDenied: it is somebody else's.
            Conflict: it is as it should be.
        """

    async def trigger_schedule(self, caller: Caller, schedule: str) -> Execution:
        """Start an execution now.

        Raises:
            NotFound: there is none.
            PermissionDenied: it is somebody else's.
        """
