"""The gRPC methods of schedules: translate, call, translate."""
# ruff: noqa: N802 -- the names are those of the proto

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec
from google.protobuf.timestamp_pb2 import Timestamp
from grpc import aio

from chassis.rpc.context import current_call
from chassis.rpc.decisions import Reading, reads
from chassis.rpc.guards import Guard
from chassis.rpc.server import RpcServer
from protos.schedule.v1 import schedule_pb2 as pb
from protos.schedule.v1.schedule_pb2_grpc import (
    ScheduleServiceServicer,
    add_ScheduleServiceServicer_to_server,
)
from protos.workflow.v1.workflow_pb2 import WorkflowReference
from workflow_service.application.caller import Caller
from workflow_service.application.schedules.use_cases import ScheduleUseCases, ShownSchedule
from workflow_service.domain.schedules.model import After, Cron, Every, On, Trigger, kind_of
from workflow_service.entrypoints import messages

_encode = msgspec.json.Encoder().encode
_SERVICE: Final = "/autoworker.schedule.v1.ScheduleService"

GUARDS: Mapping[str, Guard] = {
    f"{_SERVICE}/ListSchedules": "schedules:read",
    f"{_SERVICE}/GetSchedule": "schedules:read",
    f"{_SERVICE}/PauseSchedule": "schedules:write",
    f"{_SERVICE}/ResumeSchedule": "schedules:write",
    f"{_SERVICE}/TriggerSchedule": "schedules:write",
}

READINGS: Mapping[str, Reading] = {
    method: reads(id="id") for method in GUARDS if not method.endswith("/ListSchedules")
}
"""What policies may know of what is asked for."""


class ScheduleApi(ScheduleServiceServicer):
    """Serves the caller, whose identity comes from the token alone."""

    def __init__(self, schedules: ScheduleUseCases) -> None:
        self._schedules = schedules

    async def ListSchedules(
        self,
        request: pb.ListSchedulesRequest,
        context: aio.ServicerContext[pb.ListSchedulesRequest, pb.ListSchedulesResponse],
    ) -> pb.ListSchedulesResponse:
        """A page of the tenant's schedules."""
        page = await self._schedules.list(_caller(), request.limit or None, request.cursor or None)
        return pb.ListSchedulesResponse(
            schedules=map(_message, page.items), next_cursor=page.next_cursor or ""
        )

    async def GetSchedule(
        self,
        request: pb.GetScheduleRequest,
        context: aio.ServicerContext[pb.GetScheduleRequest, pb.GetScheduleResponse],
    ) -> pb.GetScheduleResponse:
        """One schedule with its last runs."""
        shown = await self._schedules.get(_caller(), request.id)
        runs = map(messages.execution_message, shown.last_runs)
        return pb.GetScheduleResponse(schedule=_message(shown), last_runs=runs)

    async def PauseSchedule(
        self,
        request: pb.PauseScheduleRequest,
        context: aio.ServicerContext[pb.PauseScheduleRequest, pb.PauseScheduleResponse],
    ) -> pb.PauseScheduleResponse:
        """Halt a schedule."""
        shown = await self._schedules.pause(_caller(), request.id, request.reason)
        return pb.PauseScheduleResponse(schedule=_message(shown))

    async def ResumeSchedule(
        self,
        request: pb.ResumeScheduleRequest,
        context: aio.ServicerContext[pb.ResumeScheduleRequest, pb.ResumeScheduleResponse],
    ) -> pb.ResumeScheduleResponse:
        """Let a halted schedule go on."""
        shown = await self._schedules.resume(_caller(), request.id)
        return pb.ResumeScheduleResponse(schedule=_message(shown))

    async def TriggerSchedule(
        self,
        request: pb.TriggerScheduleRequest,
        context: aio.ServicerContext[pb.TriggerScheduleRequest, pb.TriggerScheduleResponse],
    ) -> pb.TriggerScheduleResponse:
        """Start an execution now."""
        begun = await self._schedules.trigger(_caller(), request.id)
        return pb.TriggerScheduleResponse(execution=messages.execution_message(begun))


def serve_schedules(server: RpcServer, schedules: ScheduleUseCases) -> None:
    """Have *server* offer the service."""
    server.add(add_ScheduleServiceServicer_to_server, ScheduleApi(schedules))


def _caller() -> Caller:
    return messages.caller_of(current_call().principal)


def _message(shown: ShownSchedule) -> pb.Schedule:
    record, paused = shown.record, shown.record.paused
    return pb.Schedule(
        id=record.key.id,
        workflow=WorkflowReference(
            namespace=record.namespace, name=record.name, version=record.version
        ),
        owner=record.owner,
        **_trigger(record.schedule.trigger),
        missed_policy=record.schedule.missed,
        overlap_policy=record.schedule.overlap,
        begun_at=_stamp(record.begun_at),
        paused_at=None if paused is None else _stamp(paused.at),
        paused_by="" if paused is None else paused.by,
        pause_reason="" if paused is None else paused.reason,
        next_runs=map(_stamp, shown.next_runs),
        last_run_at=None if record.last_at is None else _stamp(record.last_at),
        last_execution_id=record.last_execution,
        started=record.started,
        missed=record.missed,
    )


def _trigger(trigger: Trigger) -> dict[str, Any]:
    kind = kind_of(trigger)
    match trigger:
        case Every(seconds) | After(seconds):
            return {"kind": kind, "seconds": seconds}
        case Cron(expression, zone):
            return {"kind": kind, "cron": expression, "timezone": zone}
        case On(strategy, read):
            return {"kind": kind, "on": _encode(strategy), "read": read}


def _stamp(moment: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp
