"""Follows ``$ref`` within a document and to others, in bounded number.

Source: RFC 6901; RFC 3986; OpenAPI 3.1.1, "Reference Object".
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote

from workflow_service.adapters.task_runners.openapi.documents import Document, Documents
from workflow_service.adapters.task_runners.openapi.operation import Object, as_object, unusable
from workflow_service.domain.execution.credentials import Resource
from workflow_service.domain.execution.problem import Raised, timeout
from workflow_service.domain.expressions import JsonValue

_DEEPEST: Final = 32
"""References one after another."""
_DOCUMENTS: Final = 100
"""Documents that one call may lead to, besides the first."""
_SECONDS: Final = 60.0
"""How long a call may take to look at other documents; the last one may take as long as any call."""
_FOLLOWED: Final = 2_000
"""References that one call may follow."""


@dataclass(frozen=True, slots=True)
class Found:
    """A part of a document, and which document it is in."""

    value: Object
    document: Document

    def part(self, value: JsonValue) -> Found:
        """Return a part of this part."""
        return Found(as_object(value), self.document)


@dataclass(slots=True)
class References:
    """The references of one call."""

    documents: Documents
    first: Resource
    tenant: str
    _others: set[str] = field(default_factory=set)
    _followed: int = 0
    monotonic: Callable[[], float] = time.monotonic
    _until: float = field(init=False)

    def __post_init__(self) -> None:
        self._until = self.monotonic() + _SECONDS

    async def resolved(self, found: Found) -> Found:
        """Return what *found* refers to, in the end; itself when it is no reference.

        Raises:
            Raised: there is no such part, or references lead in a circle.
            ResourceFailed: another document cannot be had.
        """
        seen: list[tuple[str, str]] = []
        while isinstance(reference := found.value.get("$ref"), str):
            step = (found.document.uri, reference)
            if step in seen:
                raise unusable(f"the reference {reference[:200]!r} leads in a circle")
            seen.append(step)
            self._followed += 1
            if len(seen) > _DEEPEST or self._followed > _FOLLOWED:
                raise unusable(f"there are too many references, at {reference[:200]!r}")
            found = await self._step(found, reference)
        return found

    async def _step(self, found: Found, reference: str) -> Found:
        address, _, fragment = reference.partition("#")
        document = found.document
        if address:
            document = await self._other(document, address)
        value = _at(document.value, unquote(fragment))
        if not isinstance(value, dict):
            raise unusable(f"there is nothing at {reference[:200]!r}")
        # What stands beside a reference, in 3.1 a description, is overridden by nothing here.
        return Found(value, document)

    async def _other(self, document: Document, address: str) -> Document:
        self._others.add(address)
        if len(self._others) > _DOCUMENTS:
            raise unusable(f"the document refers to more than {_DOCUMENTS} others")
        if self.monotonic() > self._until:
            raise Raised(timeout(f"the document's references took more than {_SECONDS:g} s"))
        return await self.documents.beside(document, address, self.first, self.tenant)


def _at(value: JsonValue, pointer: str) -> JsonValue:
    if pointer and not pointer.startswith("/"):
        return None  # an anchor, which only schemas have
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        match value:
            case dict() if name in value:
                value = value[name]
            case list() if name.isdecimal() and len(name) < 7 and int(name) < len(value):
                value = value[int(name)]
            case _:
                return None
    return value
