"""Brings what is stored of an execution into a form that decisions can be made on."""

from __future__ import annotations

from dataclasses import dataclass

from chassis.errors import Internal
from workflow_service.application.compiled_definitions import CompiledDefinitions
from workflow_service.application.engine.active import Known
from workflow_service.application.engine.loading import restore
from workflow_service.application.ports import Definitions, EventStore, Summary
from workflow_service.domain.definition.model import Definition


class ExecutionVanished(Internal):
    """An execution that was to go on is not in the store, or its definition is not."""


@dataclass(frozen=True, slots=True)
class LoadExecution:
    """Reads the snapshot and the events after it, and finds the definition that the execution is pinned to."""

    store: EventStore
    definitions: Definitions
    compiled: CompiledDefinitions

    async def __call__(self, execution: str) -> Known:
        """Load one.

        Raises:
            ExecutionVanished: it is not in the store, or its definition is not.
            Unavailable: the store cannot be read now.
        """
        stored = await self.store.load(execution)
        if stored is None:
            raise ExecutionVanished(f"execution {execution} is not in the store")
        head = stored.head
        return Known(
            await self.definition_of(head.summary),
            restore(stored),
            head.sequence,
            head.epoch,
            head.summary,
            stored.snapshot_sequence,
        )

    async def definition_of(self, summary: Summary) -> Definition:
        """Return the definition that an execution is pinned to.

        Raises:
            ExecutionVanished: it is not in the store.
            Unavailable: the store cannot be read now.
        """
        compiled = self.compiled.peek(summary.digest)
        if compiled is not None:
            return compiled
        stored = await self.definitions.by_digest(summary.tenant, summary.digest)
        if stored is None:
            raise ExecutionVanished(f"the definition of {summary.execution} is not in the store")
        return await self.compiled.get(stored)
