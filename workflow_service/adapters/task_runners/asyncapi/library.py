"""AsyncAPI documents, fetched and read; the newest used are kept by what they say."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Final

from chassis.errors import ServiceError
from workflow_service.adapters.task_runners.asyncapi.documents import (
    Destination,
    Verb,
    destination,
)
from workflow_service.adapters.task_runners.asyncapi.references import AsyncApiInvalid
from workflow_service.application.resource_ports import Fetched, Resources
from workflow_service.domain.definition.documents import parse_document
from workflow_service.domain.execution.effects import AsyncApiTarget
from workflow_service.domain.expressions import JsonValue

_KEPT: Final = 32


class Library:
    """Knows what operations documents describe."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._documents: OrderedDict[str, JsonValue] = OrderedDict()

    async def destination(self, target: AsyncApiTarget, verb: Verb, *, tenant: str) -> Destination:
        """Return where *target* leads.

        Raises:
            AsyncApiInvalid: its document cannot be read, or leads nowhere.
            ResourceFailed: it cannot be fetched.
        """
        fetched = await self._resources.fetch(target.document, tenant=tenant)
        return destination(await self._document(fetched), target, verb)

    async def _document(self, fetched: Fetched) -> JsonValue:
        if fetched.digest not in self._documents:
            self._documents[fetched.digest] = await asyncio.to_thread(_read, fetched.content)
            while len(self._documents) > _KEPT:
                _ = self._documents.popitem(last=False)
        self._documents.move_to_end(fetched.digest)
        return self._documents[fetched.digest]


def _read(content: bytes) -> JsonValue:
    """Read JSON or YAML by how it begins: what servers call them is seldom right."""
    language = "json" if content.lstrip()[:1] == b"{" else "yaml"
    try:
        return parse_document(content, f"application/{language}")
    except ServiceError as exc:
        raise AsyncApiInvalid(f"the AsyncAPI document cannot be read: {exc.message}") from exc
