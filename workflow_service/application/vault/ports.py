"""What secrets need from the world."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from workflow_service.domain.expressions import JsonValue


class WrappedKey(msgspec.Struct, frozen=True):
    """The key of a tenant's data, encrypted."""

    tenant: str
    wrapped_by: str
    """Id of the key that it is encrypted with."""
    sealed: bytes


class TenantKeys(Protocol):
    """One key for the data of each tenant, never in the clear."""

    async def get(self, tenant: str) -> WrappedKey | None:
        """Return the tenant's key."""
        ...

    async def add(self, key: WrappedKey) -> WrappedKey:
        """Keep *key* unless its tenant has one; return the one that it has."""
        ...

    async def rewrap(self, old: WrappedKey, new: WrappedKey) -> None:
        """Put *new* into the place of *old*, if that is still there."""
        ...

    async def wrapped_by_others(self, current: str, limit: int) -> Sequence[WrappedKey]:
        """Return keys that are wrapped by another key than *current*: what is left to wrap anew."""
        ...


class SecretId(msgspec.Struct, frozen=True):
    """Which secret: a name, of a user, or of the whole tenant when the owner is empty."""

    tenant: str
    owner: str
    name: str


class SecretRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A secret as it is kept."""

    id: SecretId
    version: int
    """Counts the values that it has had, those before a deletion included."""
    sealed: bytes
    updated_at: datetime
    updated_by: str


class VersionMark(msgspec.Struct, frozen=True):
    """Says apart from the record which version is the last one, so that an older one is recognised."""

    version: int
    tag: bytes


class SecretRecords(Protocol):
    """Secrets, each with a mark of its last version."""

    async def find(
        self, tenant: str, owner: str, names: Sequence[str]
    ) -> Sequence[tuple[SecretRecord, VersionMark | None]]:
        """Return those of *names* that *owner* may use: its own, and those of the tenant."""
        ...

    async def last_version(self, id: SecretId) -> int:
        """Return the last version that there has been, deletions included; 0: none."""
        ...

    async def put(self, record: SecretRecord, mark: VersionMark, *, most: int) -> bool:
        """Keep *record* and *mark*, atomically; False when its version is not the next one.

        Raises:
            TooManySecrets: its tenant would have more than *most*.
        """
        ...

    async def delete(self, id: SecretId, mark: VersionMark) -> bool:
        """Forget the record and keep *mark*, atomically; False when its version is not the next one."""
        ...

    async def list(
        self, tenant: str, owner: str, limit: int, after: tuple[str, str] | None
    ) -> Sequence[SecretRecord]:
        """Return those that *owner* may use by name, its own before the tenant's, above *after* (name, owner)."""
        ...


class SecretValues(Protocol):
    """Gives values to whoever performs effects, and to nobody else."""

    async def value(self, tenant: str, owner: str, execution: str, name: str) -> JsonValue:
        """Return the value of the secret that executions of *owner* know as *name*.

        Raises:
            SecretUnusable: there is none, or its record cannot be trusted.
        """
        ...
