"""The audit trail at the auth service, over gRPC."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from typing import Literal, cast

from msgspec import Raw

from chassis.rpc.client import RpcClient
from gateway.adapters.times import moment, stamp
from gateway.ports import Caller, Page, PageRequest
from gateway.ports.audit import AuditEntry, AuditFilter, AuditVerdict, BrokenPlace
from protos.auth.v1 import audit_pb2 as pb
from protos.auth.v1.audit_pb2_grpc import AuditServiceStub

_Responses = AsyncGenerator[pb.ExportEntriesResponse, None]
_Fault = Literal["edited", "missing", "cut_off", "replaced", "mark"]
VERIFYING = 60.0
"""Seconds that going over a long trail may take."""


class AuditOverGrpc:
    """Implements the port `Audit`.

    Args:
        client: an entered client of the auth service.
    """

    def __init__(self, client: RpcClient) -> None:
        self._client = client
        self._stub = AuditServiceStub(client.channel)

    async def entries(
        self, caller: Caller, wanted: AuditFilter, page: PageRequest
    ) -> Page[AuditEntry]:
        """See `Audit.entries`."""
        response = await self._client.call(
            self._stub.FindEntries,
            pb.FindEntriesRequest(filter=_filter(wanted), limit=page.limit, cursor=page.cursor),
            token=caller.credential,
        )
        return Page([_entry(each) for each in response.entries], response.next_cursor or None)

    async def every(
        self, caller: Caller, wanted: AuditFilter
    ) -> AsyncGenerator[Sequence[AuditEntry], None]:
        """See `Audit.every`."""
        stream: AsyncIterator[pb.ExportEntriesResponse] = self._client.stream(
            self._stub.ExportEntries,
            pb.ExportEntriesRequest(filter=_filter(wanted)),
            token=caller.credential,
        )
        async with aclosing(cast("_Responses", stream)) as responses:
            async for response in responses:
                yield [_entry(each) for each in response.entries]

    async def verify(self, caller: Caller) -> AuditVerdict:
        """See `Audit.verify`."""
        response = await self._client.call(
            self._stub.VerifyTrail,
            pb.VerifyTrailRequest(),
            token=caller.credential,
            timeout=VERIFYING,
        )
        broken = _broken(response.broken) if response.HasField("broken") else None
        return AuditVerdict(
            intact=broken is None,
            entries=response.entries,
            first=response.first,
            last=response.last,
            erased=response.erased,
            checkpoints=response.checkpoints,
            broken=broken,
        )


def _filter(wanted: AuditFilter) -> pb.AuditFilter:
    return pb.AuditFilter(
        actor=wanted.actor,
        action=wanted.action,
        target=wanted.target,
        outcome=wanted.outcome,
        address=wanted.address,
        to=stamp(wanted.until),
        **{"from": stamp(wanted.since)},  # a word of Python's
    )


def _entry(entry: pb.AuditEntry) -> AuditEntry:
    return AuditEntry(
        id=entry.id,
        sequence=entry.sequence,
        time=moment(entry.time),
        tenant=entry.tenant,
        source=entry.source,
        action=entry.action,
        outcome=entry.outcome,
        actor=entry.actor,
        target=entry.target,
        address=entry.address,
        reason=entry.reason,
        request_id=entry.request_id,
        data=Raw(entry.data),
        erased=entry.erased,
        previous=entry.previous,
        hash=entry.hash,
    )


def _broken(place: pb.BrokenPlace) -> BrokenPlace:
    return BrokenPlace(place.sequence, cast("_Fault", place.fault), place.entry_id, place.detail)
