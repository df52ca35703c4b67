"""Documents that a definition refers to: fetched when it is published, and kept with it for ever.

What an execution runs must not change because somebody changes a file elsewhere. So a definition is read in rounds:
a reading tells what it lacks, that is fetched, and it is read again, until nothing is lacking. What was fetched is
stored beside the document, under pointers that name each place in it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, TypeAlias

from workflow_service.domain.definition.documents import digest_of
from workflow_service.domain.definition.pointers import child
from workflow_service.domain.definition.served import named
from workflow_service.domain.definition.task_members import ExternalResource
from workflow_service.domain.expressions import JsonValue

Pinned: TypeAlias = Mapping[str, JsonValue]
"""The content of each document, by the pointer of its place."""

DEFAULT: Final = "default"
"""The catalog that documents need not name."""
_CALL: Final = re.compile(r"([^@]+)@([^@/]+)")

NOTHING_PINNED: Final[Pinned] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class CatalogFunction:
    """A function as a catalog files it."""

    name: str
    version: str

    @property
    def path(self) -> str:
        """Its place below the root of its catalog."""
        return f"functions/{self.name}/{self.version}/function.yaml"


def in_catalog(call: str) -> tuple[CatalogFunction, str] | None:
    """Split ``name:version@catalog``; None when *call* is something else."""
    parts = _CALL.fullmatch(call)
    function = None if parts is None else named(parts[1])
    if parts is None or function is None or not function[1]:
        return None
    return CatalogFunction(*function), parts[2]


def function_pointer(function: CatalogFunction, catalog: str) -> str:
    """Return under which pointer a function is pinned; its tasks have references below it."""
    return child("/use/catalogs", catalog, f"{function.name}:{function.version}")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A document that a reading lacks."""

    pointer: str
    """Under which it is pinned."""
    place: str
    """What asks for it: where problems with it are told."""
    what: str
    """For people."""
    resource: ExternalResource | None
    """Where it is, or the root of the catalog that it is in; None: in the operator's default catalog."""
    function: CatalogFunction | None = None


def pinned_digest(document: JsonValue, pinned: Pinned) -> str:
    """Return the digest of a document with what was fetched for it; of the document alone where that is nothing."""
    if not pinned:
        return digest_of(document)
    return digest_of({"document": document, "pinned": dict(pinned)})
