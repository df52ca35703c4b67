"""Published definitions."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

import msgspec

from workflow_service.application.ports.paging import Page


class StoredDefinition(msgspec.Struct, frozen=True):
    """A published definition."""

    tenant: str
    namespace: str
    name: str
    version: str
    digest: str
    document: bytes
    """Canonical JSON."""
    created_at: datetime
    created_by: str
    title: str = ""
    summary: str = ""
    pinned: bytes = b""
    """What was fetched for it, as JSON by pointers; empty: nothing."""


class Definitions(Protocol):
    """Published definitions; one that is there never changes."""

    async def add(self, definition: StoredDefinition) -> StoredDefinition:
        """Insert *definition* unless its version is taken, atomically; return the one that is stored."""
        ...

    async def get(
        self, tenant: str, namespace: str, name: str, version: str
    ) -> StoredDefinition | None:
        """Return that version."""
        ...

    async def newest(self, tenant: str, namespace: str, name: str) -> StoredDefinition | None:
        """Return the highest version by semver precedence; a pre-release only when there is no release."""
        ...

    async def by_digest(self, tenant: str, digest: str) -> StoredDefinition | None:
        """Return a definition with that content."""
        ...

    async def list(
        self,
        tenant: str,
        *,
        namespace: str | None,
        name: str | None,
        limit: int,
        cursor: str | None,
    ) -> Page[StoredDefinition]:
        """Return definitions, ordered by namespace, name and descending version."""
        ...
