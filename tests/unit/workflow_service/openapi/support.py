"""Operations of documents that are given as text, without a network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urldefrag

import msgspec
import yaml

from workflow_service.adapters.task_runners.openapi import Documents
from workflow_service.adapters.task_runners.openapi.finding import find_operation
from workflow_service.adapters.task_runners.openapi.operation import Operation
from workflow_service.adapters.task_runners.openapi.references import References
from workflow_service.adapters.task_runners.openapi.requests import Request, request_for
from workflow_service.application.resource_ports import Fetched, ResourceFailed
from workflow_service.domain.execution.credentials import Resource
from workflow_service.domain.execution.problem import communication
from workflow_service.domain.expressions import JsonValue

HERE = "https://docs.test/api/openapi.yaml"


@dataclass
class Shelf:
    """Plays the world's documents."""

    texts: Mapping[str, str]
    asked: list[Resource] = field(default_factory=list)

    async def fetch(self, resource: Resource, *, tenant: str) -> Fetched:
        """See ``Resources``."""
        self.asked.append(resource)
        uri = urldefrag(resource.uri).url
        if uri not in self.texts:
            raise ResourceFailed(communication("not there", 404))
        kind = "application/json" if uri.endswith(".json") else "application/yaml"
        return Fetched(self.texts[uri].encode(), kind, uri, f"{uri}: {hash(self.texts[uri])}")


async def operation(text: str, name: str = "op", shelf: Shelf | None = None) -> Operation:
    """Find an operation of the document *text*."""
    shelf = shelf or Shelf({HERE: text})
    documents, first = Documents(shelf), Resource(HERE)
    document = await documents.get(first, "t")
    return await find_operation(document, name, References(documents, first, "t"))


async def request(text: str, name: str = "op", /, **given: JsonValue) -> Request:
    """Return the request that calls an operation of the document *text*."""
    return request_for(await operation(text, name), given, "key")


def one(described: str, version: str = "3.1.0") -> str:
    """Return a document with one operation, `op`, at `/x`, or at a path of its own."""
    body: dict[str, JsonValue] = yaml.safe_load(described)
    path = str(body.pop("path", "/x"))
    method = str(body.pop("method", "post"))
    whole: JsonValue = {
        "openapi": version,
        "info": {"title": "t", "version": "1"},
        "servers": [{"url": "https://api.test/v1"}],
        "paths": {path: {method: {"operationId": "op", **body}}},
    }
    return msgspec.json.encode(whole).decode()
