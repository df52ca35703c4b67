"""Get a definition: one version, or the newest."""

from dataclasses import dataclass

from chassis.errors import NotFound
from workflow_service.application.ports import Definitions, StoredDefinition


class DefinitionNotFound(NotFound):
    """Nothing is published under that name and version."""


@dataclass(frozen=True, slots=True)
class GetDefinition:
    """Get a definition; without *version* the newest release, or the newest pre-release if there is none."""

    tenant: str
    namespace: str
    name: str
    version: str | None = None


@dataclass(frozen=True, slots=True)
class GetDefinitionHandler:
    """Raises `DefinitionNotFound`."""

    definitions: Definitions

    async def __call__(self, query: GetDefinition) -> StoredDefinition:
        found = await self._find(query)
        if found is None:
            version = "" if query.version is None else f" in version {query.version[:80]}"
            raise DefinitionNotFound(
                f"there is no workflow {query.namespace[:80]}/{query.name[:80]}{version}"
            )
        return found

    async def _find(self, query: GetDefinition) -> StoredDefinition | None:
        place = (query.tenant, query.namespace, query.name)
        if query.version is None:
            return await self.definitions.newest(*place)
        return await self.definitions.get(*place, query.version)
