"""Check a definition without publishing it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import partial

from workflow_service.application.pinning import NoResources, Pinning
from workflow_service.application.ports import FunctionsServed, NobodyServes
from workflow_service.application.reached import counting_refusals
from workflow_service.domain.definition.documents import parse_document
from workflow_service.domain.definition.limits import DEFAULT_LIMITS, DefinitionLimits
from workflow_service.domain.definition.model import Definition
from workflow_service.domain.definition.parsing import definition_of
from workflow_service.domain.definition.pinned import NOTHING_PINNED, Pinned
from workflow_service.domain.definition.processes import ProcessKind
from workflow_service.domain.definition.served import Served
from workflow_service.domain.definition.validation import Reading, read_document
from workflow_service.domain.expressions import Expressions, JsonValue


@dataclass(frozen=True, slots=True)
class ValidateDefinition:
    """Check a document as publishing it does, and keep nothing."""

    content: bytes
    media_type: str
    tenant: str = ""
    principal: str = ""


@dataclass(frozen=True, slots=True)
class ValidateDefinitionHandler:
    """Raises ``DefinitionInvalid`` with every problem, or what ``parse_document`` raises."""

    expressions: Expressions
    limits: DefinitionLimits = DEFAULT_LIMITS
    functions: FunctionsServed = field(default_factory=NobodyServes)
    processes: frozenset[ProcessKind] = frozenset()
    pinning: Pinning = field(default_factory=lambda: Pinning(NoResources()))

    async def __call__(self, query: ValidateDefinition) -> None:
        _ = await self.read(query)

    async def read(self, query: ValidateDefinition) -> Definition:
        """Return the definition that the document is of."""
        served = await self.functions.served(query.tenant, query.principal)
        with counting_refusals():
            document = await asyncio.to_thread(
                parse_document, query.content, query.media_type, self.limits
            )
            read = partial(self._read, document, served)
            first = await asyncio.to_thread(read, NOTHING_PINNED)
            reading, pinned = await self.pinning.complete(first, read, query.tenant)
            return definition_of(reading, document, self.limits, pinned)

    def _read(self, document: JsonValue, served: Served, pinned: Pinned) -> Reading:
        return read_document(
            document,
            self.expressions,
            self.limits,
            served,
            self.processes,
            pinned,
            self.pinning.default_catalog is not None,
        )
