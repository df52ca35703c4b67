"""What checking a definition before it is published needs of the store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from workflow_service.domain.execution.state import Status


class OpenCount(msgspec.Struct, frozen=True):
    """How many open executions of one definition have one status."""

    version: str
    digest: str
    status: Status
    executions: int


class OpenOfDefinitions(Protocol):
    """Executions that have not ended, by the definition that they are pinned to."""

    async def count(
        self, tenant: str, owner: str | None, namespace: str, name: str
    ) -> Sequence[OpenCount]:
        """Count those of a workflow, of *owner* or of everybody in the tenant, by version, digest and status."""
        ...

    async def some(
        self, tenant: str, owner: str | None, definition: tuple[str, str, str], limit: int
    ) -> Sequence[str]:
        """Return up to *limit* of one definition (namespace, name and digest), ordered by id."""
        ...
