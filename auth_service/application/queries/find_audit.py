"""FindAudit: what the audit trail says, newest first."""

from collections.abc import Sequence
from dataclasses import dataclass

from auth_service.application.ports.audit import AuditFilter, AuditTrail, KeptEntry
from auth_service.domain.errors import InputInvalid
from chassis.errors import FieldProblem

LARGEST_PAGE = 1000
_LONGEST_CURSOR = 18


@dataclass(frozen=True, slots=True)
class FindAudit:
    """A page of those that are wanted; *cursor* is "" or what the page before gave."""

    wanted: AuditFilter
    limit: int
    cursor: str = ""


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Entries, and where the next page begins; "" on the last one."""

    entries: Sequence[KeptEntry]
    next_cursor: str


@dataclass(frozen=True, slots=True)
class FindAuditHandler:
    """Raises `InputInvalid` when the cursor is none of ours."""

    trail: AuditTrail

    async def __call__(self, query: FindAudit) -> AuditPage:
        limit = min(max(query.limit, 1), LARGEST_PAGE)
        found = await self.trail.find(query.wanted, before=_position(query.cursor), limit=limit + 1)
        more = len(found) > limit
        return AuditPage(found[:limit], str(found[limit - 1].sequence) if more else "")


def _position(cursor: str) -> int | None:
    if not cursor:
        return None
    if not (cursor.isascii() and cursor.isdigit()) or len(cursor) > _LONGEST_CURSOR:
        raise InputInvalid([FieldProblem("cursor", "is none that a list of entries returned")])
    return int(cursor)
