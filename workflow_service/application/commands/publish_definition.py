"""Publish a definition: check it, and keep it for ever under its version."""

import asyncio
from dataclasses import dataclass, field

from chassis.clock import Clock
from chassis.errors import Conflict
from workflow_service.application.compiled_definitions import CompiledDefinitions
from workflow_service.application.ports import (
    Definitions,
    FunctionsServed,
    NobodyServes,
    StoredDefinition,
)
from workflow_service.application.reached import counting_refusals
from workflow_service.domain.definition.documents import canonical, parse_document
from workflow_service.domain.definition.limits import DEFAULT_LIMITS, DefinitionLimits
from workflow_service.domain.definition.model import Definition
from workflow_service.domain.definition.parsing import parse_definition
from workflow_service.domain.definition.served import Served
from workflow_service.domain.expressions import Expressions


class VersionTaken(Conflict):
    """Another document has been published as this version; a published version never changes."""

    def __init__(self, definition: StoredDefinition) -> None:
        super().__init__(
            f"workflow {definition.namespace}/{definition.name} {definition.version} is published"
            " with other content: give the changed document a new document.version"
        )


@dataclass(frozen=True, slots=True)
class PublishDefinition:
    """Publish a document; publishing the same once more changes nothing."""

    tenant: str
    principal: str
    """Who publishes it."""
    content: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class PublishedDefinition:
    """What is published under the version, and whether it is new."""

    definition: StoredDefinition
    created: bool


@dataclass(frozen=True, slots=True)
class PublishDefinitionHandler:
    """Raises `DefinitionInvalid` with every problem, `VersionTaken`, or what `parse_document` raises."""

    definitions: Definitions
    compiled: CompiledDefinitions
    expressions: Expressions
    clock: Clock
    limits: DefinitionLimits = DEFAULT_LIMITS
    functions: FunctionsServed = field(default_factory=NobodyServes)

    async def __call__(self, command: PublishDefinition) -> PublishedDefinition:
        served = await self.functions.served(command.tenant, command.principal)
        with counting_refusals():
            definition, document = await asyncio.to_thread(self._read, command, served)
        new = StoredDefinition(
            tenant=command.tenant,
            namespace=definition.namespace,
            name=definition.name,
            version=definition.version,
            digest=definition.digest,
            document=document,
            created_at=self.clock.now(),
            created_by=command.principal,
            title=definition.title,
            summary=definition.summary,
        )
        known = await self.definitions.get(new.tenant, new.namespace, new.name, new.version)
        stored = known or await self.definitions.add(new)
        if stored.digest != new.digest:
            raise VersionTaken(new)
        self.compiled.keep(definition, len(document))
        return PublishedDefinition(stored, created=known is None and stored == new)

    def _read(self, command: PublishDefinition, served: Served) -> tuple[Definition, bytes]:
        document = parse_document(command.content, command.media_type, self.limits)
        definition = parse_definition(document, self.expressions, limits=self.limits, served=served)
        return definition, canonical(document)
