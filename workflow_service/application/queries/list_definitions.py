"""List definitions."""

from dataclasses import dataclass

from workflow_service.application.ports import Definitions, Page, StoredDefinition


@dataclass(frozen=True, slots=True)
class ListDefinitions:
    """List what is published, by namespace and name, newest versions first.

    *limit* is between 1 and 200; *cursor* is what an earlier page ended with.
    """

    tenant: str
    namespace: str | None = None
    name: str | None = None
    limit: int = 50
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class ListDefinitionsHandler:
    """Raises `Invalid` for a cursor that no list returned."""

    definitions: Definitions

    async def __call__(self, query: ListDefinitions) -> Page[StoredDefinition]:
        return await self.definitions.list(
            query.tenant,
            namespace=query.namespace,
            name=query.name,
            limit=query.limit,
            cursor=query.cursor,
        )
