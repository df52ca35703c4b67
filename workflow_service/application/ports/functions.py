"""Functions that are served outside of definitions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from workflow_service.domain.definition.served import NOTHING, Served
from workflow_service.domain.execution.effects import FunctionCall


class FunctionRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A function as whoever serves it has declared it last."""

    tenant: str
    owner: str
    """Whose executions it is served to; empty: to everybody's in the tenant."""
    name: str
    version: str
    input_schema: bytes = b""
    """JSON Schema as JSON; empty: anything goes."""
    output_schema: bytes = b""
    last_seen_at: datetime


class Functions(Protocol):
    """Functions that workers serve or have served."""

    async def declare(self, functions: Sequence[FunctionRecord], most: int) -> bool:
        """Keep *functions*, over what was declared before; False, and nothing changed, when a tenant would have more than *most*."""
        ...

    async def names(self, tenant: str, owner: str) -> Sequence[tuple[str, str]]:
        """Return name and version of all that are served to executions of *owner*."""
        ...

    async def list(
        self, tenant: str, owner: str | None, limit: int, after: tuple[str, str, str] | None
    ) -> Sequence[FunctionRecord]:
        """Return functions ordered by name, version and owner, those above *after*.

        Args:
            tenant: whose.
            owner: those served to executions of this user; None: all of the tenant.
            limit: at most so many.
            after: name, version and owner that an earlier page ended with.
        """
        ...


class FunctionsServed(Protocol):
    """Who serves functions outside of definitions."""

    async def served(self, tenant: str, owner: str) -> Served:
        """Return what definitions of *owner* may call."""
        ...

    def lacks(self, call: FunctionCall) -> bool:
        """Whether nobody is there now who could serve *call*."""
        ...


class NobodyServes:
    """No functions at all."""

    async def served(self, tenant: str, owner: str) -> Served:
        """Return nothing."""
        return NOTHING

    def lacks(self, call: FunctionCall) -> bool:
        """Say yes."""
        return True


class LocalFunction(msgspec.Struct, frozen=True):
    """A function that the operator serves in this process."""

    name: str
    version: str
    input_schema: bytes = b""
    output_schema: bytes = b""
