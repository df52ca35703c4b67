"""Schedules: the part of the client that looks at them and takes hold of them."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Literal

import msgspec

from autoworker.model import Execution, JsonValue, Page, Status, WorkflowReference
from autoworker.places import segment
from autoworker.requests import Requests
from autoworker.transport import decoded


class Pause(msgspec.Struct, frozen=True):
    """Since when nothing is started, who decided that, and why."""

    at: datetime
    by: str
    reason: str = ""


class LastRun(msgspec.Struct, frozen=True):
    """The latest tick that was started for; the execution is told to those who may see it."""

    at: datetime
    execution_id: str | None = None


class ScheduledRun(msgspec.Struct, frozen=True):
    """An execution that a schedule has started."""

    execution_id: str
    kind: Literal["every", "cron", "after", "on", "trigger"]
    status: Status
    at: datetime | None = None
    created_at: datetime | None = None
    ended_at: datetime | None = None


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """When a workflow starts by itself: what its newest version says."""

    id: str
    """Namespace and name of the workflow, with a point between them."""
    workflow: WorkflowReference
    owner: str
    kind: Literal["every", "cron", "after", "on"]
    seconds: float | None = None
    """Of every and after."""
    cron: str | None = None
    timezone: str | None = None
    on: JsonValue = None
    """The events that start it, as they were written."""
    read: Literal["data", "envelope", "raw"] | None = None
    missed_policy: str = "one"
    overlap_policy: str = "allow"
    since: datetime | None = None
    paused: Pause | None = None
    next_runs: list[datetime] = []
    last_run: LastRun | None = None
    last_runs: list[ScheduledRun] = []
    """There when one schedule was asked for."""
    started: int = 0
    missed: int = 0


class Schedules(Requests):
    """When workflows start by themselves."""

    def schedules(self) -> AsyncIterator[Schedule]:
        """All of them, by namespace and name."""
        return self._pages("/v1/schedules", Page[Schedule], {})

    async def schedule(self, schedule: str) -> Schedule:
        """One, with its last runs.

        Raises:
            NotFound: there is none.
        """
        return await self._get(_place(schedule), Schedule)

    async def pause_schedule(self, schedule: str, reason: str = "") -> Schedule:
        """Start nothing until it is resumed; what runs goes on. Raises Conflict when it is paused already."""
        body = msgspec.json.encode({"reason": reason})
        return decoded(await self._post(schedule, "pause", body), Schedule)

    async def resume_schedule(self, schedule: str) -> Schedule:
        """Go on with the next tick. Raises Conflict when it is not paused."""
        return decoded(await self._post(schedule, "resume"), Schedule)

    async def trigger_schedule(self, schedule: str) -> Execution:
        """Start an execution now, beside the ticks."""
        return decoded(await self._post(schedule, "trigger"), Execution)

    async def _post(self, schedule: str, verb: str, body: bytes | None = None) -> bytes:
        _, answer = await self._send("POST", f"{_place(schedule)}/{verb}", body)
        return answer


def _place(schedule: str) -> str:
    return f"/v1/schedules/{segment(schedule)}"
