"""Schedules at the workflow service, over gRPC."""

from typing import Any

from msgspec import Raw

from chassis.rpc.client import RpcClient
from gateway.adapters.executions import execution_of
from gateway.adapters.times import moment
from gateway.ports import (
    NULL,
    Caller,
    Execution,
    LastRun,
    Page,
    PageRequest,
    Pause,
    Schedule,
    ScheduledRun,
    ScheduleWithRuns,
    Switch,
    WorkflowReference,
)
from protos.schedule.v1 import schedule_pb2 as pb
from protos.schedule.v1.schedule_pb2_grpc import ScheduleServiceStub
from protos.workflow.v1 import workflow_pb2


class SchedulesOverGrpc:
    """Implements the port `Schedules`.

    Args:
        client: an entered client of the workflow service.
    """

    def __init__(self, client: RpcClient) -> None:
        self._call = client.call
        self._stub = ScheduleServiceStub(client.channel)

    async def schedules(self, caller: Caller, page: PageRequest) -> Page[Schedule]:
        """See `Schedules.schedules`."""
        response = await self._call(
            self._stub.ListSchedules,
            pb.ListSchedulesRequest(limit=page.limit, cursor=page.cursor),
            token=caller.credential,
        )
        found = [Schedule(**_members(each)) for each in response.schedules]
        return Page(found, response.next_cursor or None)

    async def schedule(self, caller: Caller, schedule: str) -> ScheduleWithRuns:
        """See `Schedules.schedule`."""
        response = await self._call(
            self._stub.GetSchedule, pb.GetScheduleRequest(id=schedule), token=caller.credential
        )
        runs = [_run(each) for each in response.last_runs]
        return ScheduleWithRuns(**_members(response.schedule), last_runs=runs)

    async def switch_schedule(
        self, caller: Caller, verb: Switch, schedule: str, reason: str
    ) -> Schedule:
        """See `Schedules.switch_schedule`."""
        if verb == "pause":
            paused = await self._call(
                self._stub.PauseSchedule,
                pb.PauseScheduleRequest(id=schedule, reason=reason),
                token=caller.credential,
            )
            return Schedule(**_members(paused.schedule))
        resumed = await self._call(
            self._stub.ResumeSchedule,
            pb.ResumeScheduleRequest(id=schedule),
            token=caller.credential,
        )
        return Schedule(**_members(resumed.schedule))

    async def trigger_schedule(self, caller: Caller, schedule: str) -> Execution:
        """See `Schedules.trigger_schedule`."""
        response = await self._call(
            self._stub.TriggerSchedule,
            pb.TriggerScheduleRequest(id=schedule),
            token=caller.credential,
        )
        return execution_of(response.execution)


def _members(schedule: pb.Schedule) -> dict[str, Any]:
    workflow = schedule.workflow
    last = LastRun(moment(schedule.last_run_at), schedule.last_execution_id or None)
    return {
        "id": schedule.id,
        "workflow": WorkflowReference(workflow.namespace, workflow.name, workflow.version),
        "owner": schedule.owner,
        "kind": schedule.kind,
        "seconds": schedule.seconds or None,
        "cron": schedule.cron or None,
        "timezone": schedule.timezone or None,
        "on": Raw(schedule.on) if schedule.on else NULL,
        "read": schedule.read or None,
        "missed_policy": schedule.missed_policy,
        "overlap_policy": schedule.overlap_policy,
        "since": moment(schedule.begun_at),
        "paused": _pause(schedule) if schedule.HasField("paused_at") else None,
        "next_runs": [moment(each) for each in schedule.next_runs],
        "last_run": last if schedule.HasField("last_run_at") else None,
        "started": schedule.started,
        "missed": schedule.missed,
    }


def _pause(schedule: pb.Schedule) -> Pause:
    return Pause(moment(schedule.paused_at), schedule.paused_by, schedule.pause_reason)


def _run(execution: workflow_pb2.Execution) -> ScheduledRun:
    return ScheduledRun(
        execution_id=execution.id,
        kind=execution.schedule.kind,
        at=moment(execution.schedule.at),
        status=execution.status,
        created_at=moment(execution.created_at),
        ended_at=moment(execution.ended_at),
    )
