"""Where the operations of a document are: looked up once, since large documents have thousands.

Source: OpenAPI 2.0, 3.0.4 and 3.1.1, "Paths Object", "Path Item Object".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from workflow_service.adapters.task_runners.openapi.operation import Object, as_object, as_text

_METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "query")


@dataclass(frozen=True, slots=True)
class Index:
    """The operations of a document by their names."""

    operations: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Path and method; of several with the same name the first."""
    elsewhere: tuple[str, ...] = ()
    """Paths that are described in other documents, or in other places of this one."""


def index_of(document: Object) -> Index:
    """Return where the operations of *document* are."""
    operations: dict[str, tuple[str, str]] = {}
    elsewhere: list[str] = []
    for path, each in as_object(document.get("paths")).items():
        item = as_object(each)
        if "$ref" in item:
            elsewhere.append(path)
            continue
        for method, name in operations_in(item):
            operations.setdefault(name, (path, method))
    return Index(operations, tuple(elsewhere))


def operations_in(item: Object) -> Iterator[tuple[str, str]]:
    """Yield method and name of each operation of a path that has a name."""
    for method in _METHODS:
        name = as_text(as_object(item.get(method)).get("operationId"))
        if name:
            yield method, name
