"""Starts executions for ticks; the id of each is made of schedule and tick, so that no repetition starts a second one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec

from chassis.errors import NotFound
from workflow_service.application.caller import Caller
from workflow_service.application.commands.cancel_execution import (
    CancelExecution,
    CancelExecutionHandler,
)
from workflow_service.application.commands.start_execution import (
    StartExecution,
    StartExecutionHandler,
)
from workflow_service.application.engine.loading import is_undone
from workflow_service.application.ports import Summaries, Summary
from workflow_service.application.schedule_ports import ScheduleRecord
from workflow_service.domain.execution.errors import CommandRefused
from workflow_service.domain.execution.origin import ScheduledStart
from workflow_service.domain.execution.workflow_calls import made_id
from workflow_service.domain.expressions import JsonValue
from workflow_service.domain.schedules.gathering import Pending
from workflow_service.domain.schedules.model import After, kind_of

TAG: Final = "schedule"
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Starting:
    """Raises what starting and cancelling executions raise."""

    start: StartExecutionHandler
    cancel: CancelExecutionHandler
    summaries: Summaries

    async def at(self, record: ScheduleRecord, tick: datetime) -> Summary | None:
        """Start for a tick, as whoever published the workflow; None when the overlap policy forbids it."""
        if record.schedule.overlap != "allow" and not await self._may_begin(record):
            return None
        kind = kind_of(record.schedule.trigger)
        execution = made_id(_encode((*record.key, tick)).decode())
        return await self._started(record, ScheduledStart(record.key.id, kind, tick), execution)

    async def for_events(self, record: ScheduleRecord, pending: Pending) -> Summary:
        """Start for events that are enough, with them as the input."""
        execution = made_id(_encode((*record.key, pending.position)).decode())
        origin = ScheduledStart(record.key.id, "on")
        return await self._started(record, origin, execution, list(pending.input))

    async def now(self, record: ScheduleRecord) -> Summary:
        """Start because somebody wants it, beside the ticks."""
        return await self._started(record, ScheduledStart(record.key.id, "trigger"), None)

    async def _started(
        self,
        record: ScheduleRecord,
        origin: ScheduledStart,
        execution: str | None,
        given: list[JsonValue] | None = None,
    ) -> Summary:
        # Here is whoever asks for it now, or awaits its end to start the next one.
        awaited = execution is None or isinstance(record.schedule.trigger, After)
        return await self.start(
            StartExecution(
                Caller(record.owner, record.tenant),
                record.namespace,
                record.name,
                record.version,
                {} if given is None else given,
                tags={TAG: record.key.id},
                execution=execution,
                origin=origin,
                shared=not awaited,
            )
        )

    async def _may_begin(self, record: ScheduleRecord) -> bool:
        """Whether the execution before is over, once it was cancelled if that is asked for."""
        last = await self.summaries.get(record.tenant, record.last_execution)
        if last is None or last.ended_at is not None:
            return True
        if record.schedule.overlap == "skip":
            return False
        if await is_undone(self.start.store, last.execution):
            return True
        try:
            await self.cancel(
                CancelExecution(
                    Caller(record.owner, record.tenant, writes_all=True),
                    last.execution,
                    f"schedule {record.key.id} starts the next one",
                )
            )
        except (NotFound, CommandRefused):
            return True  # it has ended by itself
        return True
