"""OpenAPI documents, fetched and read; what was read is kept by its content."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, replace
from functools import partial
from typing import Final
from urllib.parse import urldefrag, urljoin

import msgspec

from chassis.single_flight import SingleFlight
from workflow_service.adapters.egress.urls import target
from workflow_service.adapters.task_runners.openapi.index import Index, index_of
from workflow_service.adapters.task_runners.openapi.operation import Object, unusable
from workflow_service.application.resource_ports import Fetched, Resources
from workflow_service.domain.definition.limits import DEFAULT_LIMITS
from workflow_service.domain.definition.unreadable import DocumentTooLarge, DocumentUnreadable
from workflow_service.domain.definition.yaml_documents import read_yaml
from workflow_service.domain.execution.credentials import Resource
from workflow_service.domain.execution.problem import Raised
from workflow_service.domain.expressions import JsonValue

_MEBIBYTE: Final = 1024 * 1024
_KEPT: Final = 8 * _MEBIBYTE
"""Bytes of documents whose values are kept; in memory they take some times as much."""
_QUICK: Final = 64 * 1024
"""Bytes that are read at once; more are read on a thread."""
_LONGEST_YAML: Final = 2 * _MEBIBYTE
_YAML: Final = replace(DEFAULT_LIMITS, bytes=_LONGEST_YAML, values=200_000, depth=128)


@dataclass(frozen=True, slots=True)
class Document:
    """A document, and what it can lead to."""

    value: Object
    index: Index
    uri: str
    """Where it was found: what is relative in it is relative to this."""


@dataclass(frozen=True, slots=True)
class _Read:
    """What a document says, wherever it was found."""

    value: Object
    index: Index
    size: int
    """Bytes of its text."""


class Documents:
    """Reads documents once for all who want them."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._kept: OrderedDict[str, _Read] = OrderedDict()
        self._taken = 0
        self._flights: SingleFlight[str, _Read] = SingleFlight()

    async def get(self, resource: Resource, tenant: str) -> Document:
        """Return the document.

        Raises:
            ResourceFailed: it cannot be had.
            Raised: it cannot be read.
        """
        fetched = await self._resources.fetch(resource, tenant=tenant)
        read = self._kept.get(fetched.digest)
        if read is None:
            read = await self._flights.run(fetched.digest, partial(self._read, fetched))
        else:
            self._kept.move_to_end(fetched.digest)
        return Document(read.value, read.index, fetched.uri)

    async def beside(
        self, document: Document, reference: str, first: Resource, tenant: str
    ) -> Document:
        """Return the document that *reference* in *document* leads to; credentials are those of the *first*, for its own origin only.

        Raises:
            ResourceFailed: it cannot be had.
            Raised: it cannot be read.
        """
        uri = urldefrag(urljoin(document.uri, reference)).url
        if uri[:5].lower() == "file:" and document.uri[:5].lower() != "file:":
            raise unusable("a document on the network cannot refer to a file")
        credentials = first.credentials if _same_origin(uri, first.uri) else None
        return await self.get(Resource(uri, credentials), tenant)

    async def _read(self, fetched: Fetched) -> _Read:
        aside = len(fetched.content) > _QUICK
        read = await asyncio.to_thread(_read, fetched) if aside else _read(fetched)
        self._keep(fetched.digest, read)
        return read

    def _keep(self, digest: str, read: _Read) -> None:
        if read.size > _KEPT or digest in self._kept:
            return
        self._kept[digest] = read
        self._taken += read.size
        while self._taken > _KEPT:
            _, oldest = self._kept.popitem(last=False)
            self._taken -= oldest.size


def _read(fetched: Fetched) -> _Read:
    value = _parsed(fetched)
    if not isinstance(value, dict):
        raise unusable("the document is not an object")
    return _Read(value, index_of(value), len(fetched.content))


def _same_origin(one: str, other: str) -> bool:
    if one[:5].lower() == "file:" or other[:5].lower() == "file:":
        return False
    return target(one).origin == target(other).origin


def _parsed(fetched: Fetched) -> JsonValue:
    """Read JSON, or YAML: what looks like JSON and is not declared as such may be either."""
    content = fetched.content.removeprefix(b"\xef\xbb\xbf")
    declared = fetched.media_type.endswith("json")
    if not declared and content.lstrip()[:1] != b"{":
        return _parsed_yaml(content)
    try:
        value: JsonValue = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        if not declared:
            return _parsed_yaml(content)
        raise _unreadable(exc) from None
    return value


def _parsed_yaml(content: bytes) -> JsonValue:
    if len(content) > _LONGEST_YAML:
        limit = f"a document in YAML may have at most {_LONGEST_YAML} bytes"
        raise unusable(f"{limit}; one in JSON may have more")
    try:
        return read_yaml(content.decode(), _YAML)
    except (DocumentTooLarge, DocumentUnreadable, UnicodeDecodeError) as exc:
        raise _unreadable(exc) from None


def _unreadable(reason: Exception) -> Raised:
    return unusable(f"the document cannot be read: {str(reason)[:200]}")
