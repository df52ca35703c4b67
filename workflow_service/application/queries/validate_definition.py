"""Check a definition without publishing it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from workflow_service.application.ports import FunctionsServed, NobodyServes
from workflow_service.application.reached import counting_refusals
from workflow_service.domain.definition.documents import parse_document
from workflow_service.domain.definition.limits import DEFAULT_LIMITS, DefinitionLimits
from workflow_service.domain.definition.parsing import parse_definition
from workflow_service.domain.definition.served import Served
from workflow_service.domain.expressions import Expressions


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

    async def __call__(self, query: ValidateDefinition) -> None:
        served = await self.functions.served(query.tenant, query.principal)
        with counting_refusals():
            await asyncio.to_thread(self._check, query, served)

    def _check(self, query: ValidateDefinition, served: Served) -> None:
        document = parse_document(query.content, query.media_type, self.limits)
        parse_definition(document, self.expressions, limits=self.limits, served=served)
