"""What a document refers to, as far as it is written out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from workflow_service.domain.definition.catalog_uris import raw_root
from workflow_service.domain.expressions import JsonValue

_MOST: Final = 1_000
"""Addresses of one document; those beyond them become stale by themselves."""


def addresses_in(document: JsonValue) -> frozenset[str]:
    """Return the addresses of external resources in *document*: whatever has an ``endpoint``, but for calls over HTTP."""
    found: set[str] = set()
    for address in _endpoints(document, ""):
        if "${" not in address:
            found |= {address, raw_root(address)}
        if len(found) >= _MOST:
            break
    return frozenset(found)


def _endpoints(value: JsonValue, within: str) -> Iterator[str]:
    """Yield every endpoint; documents are bounded in depth."""
    if isinstance(value, list):
        for each in value:
            yield from _endpoints(each, "")
    elif isinstance(value, dict):
        endpoint = value.get("endpoint")
        address = endpoint.get("uri") if isinstance(endpoint, dict) else endpoint
        if isinstance(address, str) and within != "with":
            yield address
        for name, each in value.items():
            yield from _endpoints(each, name)
