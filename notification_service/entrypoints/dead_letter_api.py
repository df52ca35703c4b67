"""The gRPC methods of dead letters: translate, call, translate."""
# ruff: noqa: N802 -- the names are those of the proto

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

import msgspec
from google.protobuf.timestamp_pb2 import Timestamp
from grpc import aio

from chassis.rpc.context import current_call
from chassis.rpc.guards import Guard
from chassis.rpc.server import RpcServer
from chassis.telemetry.logging import masked
from notification_service.application.app import Application
from notification_service.application.commands.discard_dead_letter import DiscardDeadLetter
from notification_service.application.commands.redrive_dead_letters import RedriveDeadLetters
from notification_service.application.queries.get_dead_letter import GetDeadLetter
from notification_service.application.queries.list_dead_letters import ListDeadLetters
from notification_service.domain.dead_letter import DeadLetterFilter, KeptDeadLetter
from protos.deadletter.v1 import dead_letter_pb2 as pb
from protos.deadletter.v1.dead_letter_pb2_grpc import (
    DeadLetterServiceServicer,
    add_DeadLetterServiceServicer_to_server,
)

READ: Final = "dead-letters:read"
WRITE: Final = "dead-letters:write"
MOST: Final = 500
"""How many one call offers again at the most."""
_SERVICE: Final = "/autoworker.deadletter.v1.DeadLetterService"

GUARDS: Mapping[str, Guard] = {
    f"{_SERVICE}/ListDeadLetters": READ,
    f"{_SERVICE}/GetDeadLetter": READ,
    f"{_SERVICE}/RedriveDeadLetters": WRITE,
    f"{_SERVICE}/DiscardDeadLetter": WRITE,
}


def serve(server: RpcServer, app: Application) -> None:
    """Have *server* answer with *app*."""
    server.add(add_DeadLetterServiceServicer_to_server, DeadLetterApi(app))


class DeadLetterApi(DeadLetterServiceServicer):
    """Serves the caller's tenant, which comes from the token alone."""

    def __init__(self, app: Application) -> None:
        self._app = app

    async def ListDeadLetters(
        self,
        request: pb.ListDeadLettersRequest,
        context: aio.ServicerContext[pb.ListDeadLettersRequest, pb.ListDeadLettersResponse],
    ) -> pb.ListDeadLettersResponse:
        """A page of what was given up."""
        tenant = current_call().principal.tenant
        query = ListDeadLetters(tenant, _filter(request.filter), request.limit, request.cursor)
        page = await self._app.dead_letters.list(query)
        return pb.ListDeadLettersResponse(
            dead_letters=map(_message, page.items), next_cursor=page.next_cursor
        )

    async def GetDeadLetter(
        self,
        request: pb.GetDeadLetterRequest,
        context: aio.ServicerContext[pb.GetDeadLetterRequest, pb.GetDeadLetterResponse],
    ) -> pb.GetDeadLetterResponse:
        """One of them, with what it holds."""
        tenant = current_call().principal.tenant
        kept = await self._app.dead_letters.get(GetDeadLetter(tenant, request.id))
        payload = masked("payload", msgspec.json.decode(kept.letter.payload))
        return pb.GetDeadLetterResponse(
            dead_letter=_message(kept), payload=msgspec.json.encode(payload)
        )

    async def RedriveDeadLetters(
        self,
        request: pb.RedriveDeadLettersRequest,
        context: aio.ServicerContext[pb.RedriveDeadLettersRequest, pb.RedriveDeadLettersResponse],
    ) -> pb.RedriveDeadLettersResponse:
        """Offer some again."""
        principal = current_call().principal
        command = RedriveDeadLetters(
            principal.tenant,
            tuple(request.ids),
            _filter(request.filter),
            min(request.limit or MOST, MOST),
            request.dry_run,
            principal.id,
        )
        redriven = await self._app.dead_letters.redrive(command)
        return pb.RedriveDeadLettersResponse(
            redriven=redriven.done,
            failed=[pb.RedriveFailure(id=each, reason=why) for each, why in redriven.failed],
        )

    async def DiscardDeadLetter(
        self,
        request: pb.DiscardDeadLetterRequest,
        context: aio.ServicerContext[pb.DiscardDeadLetterRequest, pb.DiscardDeadLetterResponse],
    ) -> pb.DiscardDeadLetterResponse:
        """Forget one."""
        principal = current_call().principal
        await self._app.dead_letters.discard(
            DiscardDeadLetter(principal.tenant, request.id, principal.id)
        )
        return pb.DiscardDeadLetterResponse()


def _filter(told: pb.DeadLetterFilter) -> DeadLetterFilter:
    return DeadLetterFilter(
        kind=told.kind,
        service=told.service,
        type=told.type,
        since=told.since.ToDatetime(UTC) if told.HasField("since") else None,
        until=told.until.ToDatetime(UTC) if told.HasField("until") else None,
    )


def _message(kept: KeptDeadLetter) -> pb.DeadLetter:
    letter = kept.letter
    return pb.DeadLetter(
        id=letter.id,
        kind=letter.kind.value,
        service=letter.service,
        subscription=letter.subscription,
        type=letter.type,
        about=letter.about,
        reason=letter.reason,
        redrivable=letter.redrivable,
        times=kept.times,
        first_at=_stamp(kept.first_at),
        last_at=_stamp(letter.at),
    )


def _stamp(moment: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp
