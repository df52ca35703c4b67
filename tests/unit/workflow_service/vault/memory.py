"""The vault's ports in memory, no more than these tests need."""

from __future__ import annotations

from collections.abc import Sequence

from chassis.audit import SilentAudit
from workflow_service.application.vault.ports import (
    SecretId,
    SecretRecord,
    VersionMark,
    WrappedKey,
)


class MemoryKeys:
    """``TenantKeys``; *away* is what the next reads fail with."""

    def __init__(self) -> None:
        self.kept: dict[str, WrappedKey] = {}
        self.away: list[Exception] = []

    async def get(self, tenant: str) -> WrappedKey | None:
        """See the port."""
        if self.away:
            raise self.away.pop()
        return self.kept.get(tenant)

    async def add(self, key: WrappedKey) -> WrappedKey:
        """See the port."""
        return self.kept.setdefault(key.tenant, key)

    async def rewrap(self, old: WrappedKey, new: WrappedKey) -> None:
        """See the port."""
        self.kept[new.tenant] = new

    async def wrapped_by_others(self, current: str, limit: int) -> Sequence[WrappedKey]:
        """See the port."""
        return [key for key in self.kept.values() if key.wrapped_by != current][:limit]


class MemorySecrets:
    """``SecretRecords``."""

    def __init__(self) -> None:
        self.records: dict[SecretId, SecretRecord] = {}
        self.marks: dict[SecretId, VersionMark] = {}

    async def find(
        self, tenant: str, owner: str, names: Sequence[str]
    ) -> Sequence[tuple[SecretRecord, VersionMark | None]]:
        """See the port."""
        ids = [SecretId(tenant, each, name) for name in names for each in ("", owner)]
        return [(self.records[id], self.marks.get(id)) for id in ids if id in self.records]

    async def last_version(self, id: SecretId) -> int:
        """See the port."""
        return self.marks[id].version if id in self.marks else 0

    async def put(self, record: SecretRecord, mark: VersionMark, *, most: int) -> bool:
        """See the port."""
        self.records[record.id], self.marks[record.id] = record, mark
        return True

    async def delete(self, id: SecretId, mark: VersionMark) -> bool:
        """See the port."""
        self.marks[id] = mark
        return self.records.pop(id, None) is not None

    async def list(
        self, tenant: str, owner: str, limit: int, after: tuple[str, str] | None
    ) -> Sequence[SecretRecord]:
        """See the port."""
        return list(self.records.values())


class NotedAudit(SilentAudit):
    """``Audit``."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def record(self, event: str, **facts: str | int | bool) -> None:
        """Note the event."""
        self.events.append(event)
