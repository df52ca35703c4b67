"""The audit trail: the part of the client that looks at it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from urllib.parse import urlencode

import msgspec

from autoworker.model import JsonValue, Page
from autoworker.places import given
from autoworker.requests import Requests
from autoworker.transport import decoded

_VERIFYING = 60.0


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened."""

    id: str
    sequence: int
    """Its place in the tenant's chain; there are no gaps."""
    time: datetime
    tenant: str
    source: str
    action: str
    outcome: str
    """`done` or `refused`."""
    actor: str = ""
    target: str = ""
    address: str = ""
    reason: str = ""
    request_id: str = ""
    data: dict[str, JsonValue] = {}
    erased: bool = False
    previous: str = ""
    hash: str = ""


class BrokenPlace(msgspec.Struct, frozen=True):
    """The first place at which a chain does not hold."""

    sequence: int
    fault: str
    entry_id: str = ""
    detail: str = ""


class AuditVerdict(msgspec.Struct, frozen=True):
    """What a verification found."""

    intact: bool
    entries: int
    first: int
    last: int
    erased: int
    checkpoints: int
    broken: BrokenPlace | None = None


class AuditFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which entries are wanted; what is empty or None admits all."""

    actor: str = ""
    action: str = ""
    target: str = ""
    outcome: str = ""
    address: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def parameters(self) -> dict[str, str]:
        """As the query has it."""
        return given(
            actor=self.actor,
            action=self.action,
            target=self.target,
            outcome=self.outcome,
            address=self.address,
            to=self.until.isoformat() if self.until else "",
            **{"from": self.since.isoformat() if self.since else ""},
        )


class Audit(Requests):
    """What administrators may see of what happened."""

    def audit(self, wanted: AuditFilter | None = None) -> AsyncIterator[AuditEntry]:
        """What happened in one's tenant, newest first."""
        params = (wanted or AuditFilter()).parameters() | {"limit": "200"}
        return self._pages("/v1/audit", Page[AuditEntry], params)

    async def verify_audit(self) -> AuditVerdict:
        """Whether the audit trail of one's tenant is what was written."""
        _, answer = await self._send("GET", "/v1/audit/verify", patience=_VERIFYING)
        return decoded(answer, AuditVerdict)

    @asynccontextmanager
    async def export_audit(
        self, wanted: AuditFilter | None = None, *, format: str = "ndjson"
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """All that is wanted as a file, in chunks: `ndjson` or `csv`."""
        query = urlencode((wanted or AuditFilter()).parameters() | {"format": format})
        place = f"/v1/audit/export?{query}"
        async with self._transport.stream(place, session=self._session, headers={}) as chunks:
            yield chunks
