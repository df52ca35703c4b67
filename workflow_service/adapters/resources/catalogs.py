"""The operator's catalog: a folder of this machine, or one elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from workflow_service.adapters.resources.folder import Folder
from workflow_service.application.pinning import DefaultCatalog
from workflow_service.application.resource_ports import Fetched, Resources
from workflow_service.domain.definition.catalog_uris import function_uri
from workflow_service.domain.definition.documents import digest_of_bytes
from workflow_service.domain.definition.pinned import CatalogFunction
from workflow_service.domain.execution.credentials import Resource


class FolderCatalog(DefaultCatalog):
    """A folder with a catalog's structure in it."""

    def __init__(self, root: Path, limit: int) -> None:
        self._root = root.resolve()
        self._folder = Folder(self._root, limit)

    async def function(self, function: CatalogFunction, *, tenant: str) -> Fetched:
        """See ``DefaultCatalog``."""
        uri = (self._root / function.path).as_uri()
        content, _ = await self._folder.read(uri)
        return Fetched(content, "application/yaml", uri, digest_of_bytes(content))


@dataclass(frozen=True, slots=True)
class RemoteCatalog(DefaultCatalog):
    """A catalog elsewhere, which needs no credentials."""

    resources: Resources
    root: str

    async def function(self, function: CatalogFunction, *, tenant: str) -> Fetched:
        """See ``DefaultCatalog``."""
        there = Resource(function_uri(self.root, function.path))
        return await self.resources.fetch(there, tenant=tenant)
