"""Documents that describe services, served to those who fetch external resources."""

from __future__ import annotations

from collections.abc import Mapping

from workflow_service.application.resource_ports import Fetched
from workflow_service.domain.execution.credentials import Resource


class Documents:
    """The ``Resources`` port, played; remembers what was fetched."""

    def __init__(self, contents: Mapping[str, bytes | str]) -> None:
        self._contents = contents
        self.fetched: list[Resource] = []

    async def fetch(self, resource: Resource, *, tenant: str) -> Fetched:
        """Return the content of *resource*."""
        self.fetched.append(resource)
        content = self._contents[resource.uri]
        body = content.encode() if isinstance(content, str) else content
        return Fetched(body, "", resource.uri, f"sha256:{hash(body)}")
