"""Publish a definition: check it, and keep it for ever under its version."""

import asyncio
from dataclasses import dataclass, field
from functools import partial
from typing import cast

from chassis.audit import Audit, SilentAudit
from chassis.clock import Clock
from chassis.errors import Conflict
from workflow_service.application.compiled_definitions import CompiledDefinitions
from workflow_service.application.pinning import NoResources, Pinning
from workflow_service.application.pinning import stored as stored_pins
from workflow_service.application.ports import (
    Definitions,
    FunctionsServed,
    NobodyServes,
    StoredDefinition,
)
from workflow_service.application.reached import counting_refusals
from workflow_service.application.schedule_ports import Arranges, ScheduleKey
from workflow_service.domain.definition.documents import canonical, parse_document
from workflow_service.domain.definition.limits import DEFAULT_LIMITS, DefinitionLimits
from workflow_service.domain.definition.model import Definition
from workflow_service.domain.definition.parsing import definition_of
from workflow_service.domain.definition.pinned import NOTHING_PINNED, Pinned
from workflow_service.domain.definition.processes import ProcessKind
from workflow_service.domain.definition.served import Served
from workflow_service.domain.definition.validation import Reading, read_document
from workflow_service.domain.expressions import Expressions, JsonValue


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
    processes: frozenset[ProcessKind] = frozenset()
    arranging: Arranges | None = None
    """Keeps schedules as the newest versions have them."""
    pinning: Pinning = field(default_factory=lambda: Pinning(NoResources()))
    audit: Audit = field(default_factory=SilentAudit)

    async def __call__(self, command: PublishDefinition) -> PublishedDefinition:
        served = await self.functions.served(command.tenant, command.principal)
        with counting_refusals():
            document = await asyncio.to_thread(
                parse_document, command.content, command.media_type, self.limits
            )
            read = partial(self._read, document, served)
            first = await asyncio.to_thread(read, NOTHING_PINNED)
            known = await self._published(command.tenant, first, document)
            if known is not None:
                return PublishedDefinition(known, created=False)
            await self.pinning.ask_anew(document, command.tenant)
            reading, pinned = await self.pinning.complete(first, read, command.tenant)
            definition = definition_of(reading, document, self.limits, pinned)
        key = ScheduleKey(command.tenant, definition.namespace, definition.name)
        if self.arranging is not None:
            await self.arranging.admit(key, definition)
        published = await self._stored(command, definition, pinned)
        if self.arranging is not None:
            await self.arranging.follow(key)
        return published

    async def _published(
        self, tenant: str, reading: Reading, document: JsonValue
    ) -> StoredDefinition | None:
        """Return what has been published of a document that refers to others: what these were then, counts."""
        if not reading.builder.wanted or len(reading.builder.structure.problems):
            return None
        members = cast("dict[str, dict[str, str]]", document)
        head = members["document"]
        known = await self.definitions.get(tenant, head["namespace"], head["name"], head["version"])
        return None if known is None or known.document != canonical(document) else known

    async def _stored(
        self, command: PublishDefinition, definition: Definition, pinned: Pinned
    ) -> PublishedDefinition:
        new = StoredDefinition(
            tenant=command.tenant,
            namespace=definition.namespace,
            name=definition.name,
            version=definition.version,
            digest=definition.digest,
            document=canonical(dict(definition.document)),
            created_at=self.clock.now(),
            created_by=command.principal,
            title=definition.title,
            summary=definition.summary,
            pinned=stored_pins(pinned),
        )
        known = await self.definitions.get(new.tenant, new.namespace, new.name, new.version)
        stored = known or await self._added(new)
        if stored.digest != new.digest:
            raise VersionTaken(new)
        self.compiled.keep(definition, len(new.document) + len(new.pinned))
        return PublishedDefinition(stored, created=known is None and stored == new)

    async def _added(self, new: StoredDefinition) -> StoredDefinition:
        with self.audit.along(
            "workflow_published",
            tenant=new.tenant,
            actor=new.created_by,
            target=f"{new.namespace}/{new.name}/{new.version}",
            digest=new.digest,
        ):
            return await self.definitions.add(new)

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
