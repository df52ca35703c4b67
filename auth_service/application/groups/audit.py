"""The audit trail: kept, looked at, verified, purged."""

from dataclasses import dataclass

from auth_service.application.commands.checkpoint_audit import CheckpointAudit
from auth_service.application.commands.keep_audit_entries import KeepAuditEntries
from auth_service.application.commands.purge_audit import PurgeAudit
from auth_service.application.ports.audit import Verdict
from auth_service.application.queries.find_audit import AuditPage, FindAudit
from auth_service.application.queries.verify_audit import VerifyAudit
from auth_service.application.use_case import UseCase


@dataclass(frozen=True, slots=True)
class AuditGroup:
    """Every use case of the audit trail."""

    keep: UseCase[KeepAuditEntries, None]
    checkpoint: UseCase[CheckpointAudit, None]
    purge: UseCase[PurgeAudit, None]
    find: UseCase[FindAudit, AuditPage]
    verify: UseCase[VerifyAudit, Verdict]
