"""What calls, scripts, schemas and catalogs need of documents that stand elsewhere.

Source: Open Workflow Specification, DSL reference, "External Resource".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import msgspec

from workflow_service.domain.execution.credentials import Resource
from workflow_service.domain.execution.problem import Problem


class Fetched(msgspec.Struct, frozen=True):
    """A document as it was found."""

    content: bytes
    media_type: str
    """Lower case, without parameters; empty when nobody said."""
    uri: str
    """Where it was found in the end: what is relative in it is relative to this."""
    digest: str
    """``sha256:<hex>`` of the content."""


class ResourceFailed(Exception):
    """A document cannot be had; the problem is the fault of the task that wanted it."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail or problem.type)
        self.problem = problem


class Resources(Protocol):
    """Documents that stand elsewhere, kept for a while in bounded room."""

    async def fetch(self, resource: Resource, *, tenant: str) -> Fetched:
        """Return the document; what one tenant has fetched is never given to another.

        Raises:
            ResourceFailed: it cannot be had: refused (authorization), no access (authentication, authorization),
                not in time (timeout), an unusable address (configuration), anything else (communication).
        """
        ...


class Renewal(Protocol):
    """Documents that are kept, and may have changed."""

    async def ask_anew(self, addresses: Iterable[str], *, tenant: str) -> None:
        """Use what was fetched from *addresses*, here and in other processes, only after asking whether it has changed.

        Whoever publishes what refers to them means what stands there now. Raises nothing.
        """
        ...
