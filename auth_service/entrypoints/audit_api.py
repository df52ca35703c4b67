"""The gRPC face of the audit trail: translate in, call one use case, translate out."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, TypeAlias

import grpc
import msgspec
from google.protobuf.timestamp_pb2 import Timestamp

from auth_service.application.app import Application
from auth_service.application.commands.keep_audit_entries import KeepAuditEntries
from auth_service.application.ports.audit import AuditFilter, KeptEntry, Verdict
from auth_service.application.queries.find_audit import FindAudit
from auth_service.application.queries.verify_audit import VerifyAudit
from auth_service.domain.errors import InputInvalid
from chassis.audit import AuditEntry
from chassis.audit.entry import decoded
from chassis.errors import FieldProblem
from chassis.rpc.context import current_call
from chassis.rpc.server import Guard, RpcServer, ServiceOnly
from protos.auth.v1 import audit_pb2, audit_pb2_grpc

_Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"

_SERVICE = "/autoworker.auth.v1.AuditService"
READ = "audit:read"
_MOST = 2_000
_EXPORTED_AT_ONCE = 500

GUARDS: dict[str, Guard] = {
    f"{_SERVICE}/KeepEntries": ServiceOnly(frozenset({"gateway", "workflow", "notification"})),
    f"{_SERVICE}/FindEntries": READ,
    f"{_SERVICE}/ExportEntries": READ,
    f"{_SERVICE}/VerifyTrail": READ,
}
"""Who may call what."""


class AuditApi(audit_pb2_grpc.AuditServiceServicer):
    """AuditService of protos/auth/v1/audit.proto."""

    def __init__(self, app: Application) -> None:
        self._audit = app.audit

    async def KeepEntries(  # noqa: N802
        self, request: audit_pb2.KeepEntriesRequest, context: _Context
    ) -> audit_pb2.KeepEntriesResponse:
        """Take what a service tells."""
        command = KeepAuditEntries(current_call().principal.id, _entries(request.entries))
        await self._audit.keep(command)
        return audit_pb2.KeepEntriesResponse()

    async def FindEntries(  # noqa: N802
        self, request: audit_pb2.FindEntriesRequest, context: _Context
    ) -> audit_pb2.FindEntriesResponse:
        """A page of the caller's tenant."""
        query = FindAudit(_filter(request.filter), request.limit, request.cursor)
        page = await self._audit.find(query)
        return audit_pb2.FindEntriesResponse(
            entries=map(_message, page.entries), next_cursor=page.next_cursor
        )

    async def ExportEntries(  # noqa: N802
        self, request: audit_pb2.ExportEntriesRequest, context: _Context
    ) -> AsyncIterator[audit_pb2.ExportEntriesResponse]:
        """Everything that is wanted, in pages."""
        wanted, cursor = _filter(request.filter), ""
        while True:
            page = await self._audit.find(FindAudit(wanted, _EXPORTED_AT_ONCE, cursor))
            yield audit_pb2.ExportEntriesResponse(entries=map(_message, page.entries))
            if not page.next_cursor:
                return
            cursor = page.next_cursor

    async def VerifyTrail(  # noqa: N802
        self, request: audit_pb2.VerifyTrailRequest, context: _Context
    ) -> audit_pb2.VerifyTrailResponse:
        """Whether the chain of the caller's tenant holds."""
        verdict = await self._audit.verify(VerifyAudit(current_call().principal.tenant))
        return _verdict(verdict)


def serve(server: RpcServer, app: Application) -> None:
    """Have *server* offer the audit trail of *app*."""
    server.add(audit_pb2_grpc.add_AuditServiceServicer_to_server, AuditApi(app))


def _entries(encoded: Any) -> list[AuditEntry]:
    if len(encoded) > _MOST:
        raise InputInvalid([FieldProblem("entries", f"may be at most {_MOST}")])
    try:
        return [decoded(each) for each in encoded]
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise InputInvalid([FieldProblem("entries", "one of them is no entry")]) from exc


def _filter(wanted: audit_pb2.AuditFilter) -> AuditFilter:
    """Whoever asks sees their own tenant only."""
    return AuditFilter(
        tenant=current_call().principal.tenant,
        actor=wanted.actor,
        action=wanted.action,
        target=wanted.target,
        outcome=wanted.outcome,
        address=wanted.address,
        since=_moment(getattr(wanted, "from")) if wanted.HasField("from") else None,
        until=_moment(wanted.to) if wanted.HasField("to") else None,
    )


def _moment(stamp: Timestamp) -> datetime:
    return stamp.ToDatetime(UTC)


def _message(kept: KeptEntry) -> audit_pb2.AuditEntry:
    entry, time = kept.entry, Timestamp()
    time.FromDatetime(entry.time)
    return audit_pb2.AuditEntry(
        id=entry.id,
        sequence=kept.sequence,
        time=time,
        tenant=entry.tenant,
        source=entry.source,
        action=entry.action,
        outcome=entry.outcome,
        actor=entry.actor,
        target=entry.target,
        address=entry.address,
        reason=entry.reason,
        request_id=entry.request_id,
        data=msgspec.json.encode({**entry.data, **entry.personal}),
        erased=kept.erased,
        previous=kept.previous.hex(),
        hash=kept.link.hex(),
    )


def _verdict(verdict: Verdict) -> audit_pb2.VerifyTrailResponse:
    response = audit_pb2.VerifyTrailResponse(
        entries=verdict.entries,
        first=verdict.first,
        last=verdict.last,
        erased=verdict.erased,
        checkpoints=verdict.checkpoints,
    )
    if (broken := verdict.broken) is not None:
        response.broken.CopyFrom(
            audit_pb2.BrokenPlace(
                sequence=broken.sequence,
                fault=broken.fault.value,
                entry_id=broken.entry_id,
                detail=broken.detail,
            )
        )
    return response
