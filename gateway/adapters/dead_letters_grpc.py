"""Dead letters at the notification service, over gRPC."""

from collections.abc import Sequence

from msgspec import Raw

from chassis.rpc.client import RpcClient
from gateway.adapters.times import moment, stamp
from gateway.ports import Caller, Page, PageRequest
from gateway.ports.dead_letters import (
    DeadLetter,
    DeadLetterFilter,
    DeadLetterWithPayload,
    RedriveFailure,
    Redriven,
)
from protos.deadletter.v1 import dead_letter_pb2 as pb
from protos.deadletter.v1.dead_letter_pb2_grpc import DeadLetterServiceStub

PATIENCE = 30.0
"""Seconds that offering many again may take."""


class DeadLettersOverGrpc:
    """Implements the port `DeadLetters`.

    Args:
        client: an entered client of the notification service.
    """

    def __init__(self, client: RpcClient) -> None:
        self._call = client.call
        self._stub = DeadLetterServiceStub(client.channel)

    async def dead_letters(
        self, caller: Caller, wanted: DeadLetterFilter, page: PageRequest
    ) -> Page[DeadLetter]:
        """See `DeadLetters.dead_letters`."""
        response = await self._call(
            self._stub.ListDeadLetters,
            pb.ListDeadLettersRequest(filter=_filter(wanted), limit=page.limit, cursor=page.cursor),
            token=caller.credential,
        )
        return Page([_letter(each) for each in response.dead_letters], response.next_cursor or None)

    async def dead_letter(self, caller: Caller, letter: str) -> DeadLetterWithPayload:
        """See `DeadLetters.dead_letter`."""
        response = await self._call(
            self._stub.GetDeadLetter, pb.GetDeadLetterRequest(id=letter), token=caller.credential
        )
        told = _letter(response.dead_letter)
        members = {name: getattr(told, name) for name in told.__struct_fields__}
        return DeadLetterWithPayload(**members, payload=Raw(response.payload))

    async def redrive(
        self,
        caller: Caller,
        ids: Sequence[str],
        wanted: DeadLetterFilter,
        *,
        limit: int,
        dry_run: bool,
    ) -> Redriven:
        """See `DeadLetters.redrive`."""
        response = await self._call(
            self._stub.RedriveDeadLetters,
            pb.RedriveDeadLettersRequest(
                ids=ids, filter=_filter(wanted), limit=limit, dry_run=dry_run
            ),
            token=caller.credential,
            timeout=PATIENCE,
        )
        failed = [RedriveFailure(each.id, each.reason) for each in response.failed]
        return Redriven(list(response.redriven), failed)

    async def discard(self, caller: Caller, letter: str) -> None:
        """See `DeadLetters.discard`."""
        await self._call(
            self._stub.DiscardDeadLetter,
            pb.DiscardDeadLetterRequest(id=letter),
            token=caller.credential,
        )


def _filter(wanted: DeadLetterFilter) -> pb.DeadLetterFilter:
    return pb.DeadLetterFilter(
        kind=wanted.kind,
        service=wanted.service,
        type=wanted.type,
        since=stamp(wanted.since),
        until=stamp(wanted.until),
    )


def _letter(told: pb.DeadLetter) -> DeadLetter:
    return DeadLetter(
        id=told.id,
        kind=told.kind,
        service=told.service,
        subscription=told.subscription,
        type=told.type,
        about=told.about,
        reason=told.reason,
        redrivable=told.redrivable,
        times=told.times,
        first_at=moment(told.first_at),
        last_at=moment(told.last_at),
    )
