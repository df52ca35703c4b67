"""Finds an operation in a document of any version.

Source: OpenAPI 2.0, 3.0.4 and 3.1.1, "Path Item Object", "Operation Object".
"""

from __future__ import annotations

from workflow_service.adapters.task_runners.openapi.described import Described
from workflow_service.adapters.task_runners.openapi.documents import Document
from workflow_service.adapters.task_runners.openapi.index import operations_in
from workflow_service.adapters.task_runners.openapi.operation import (
    Operation,
    as_object,
    as_text,
    unusable,
)
from workflow_service.adapters.task_runners.openapi.references import Found, References
from workflow_service.adapters.task_runners.openapi.version_2 import read_version_2
from workflow_service.adapters.task_runners.openapi.version_3 import read_version_3
from workflow_service.domain.definition.vocabulary import known_are


async def find_operation(document: Document, wanted: str, references: References) -> Operation:
    """Return the operation whose ``operationId`` is *wanted*.

    Raises:
        Raised: the document has none, or describes it in a way that cannot be used.
        ResourceFailed: another document that it refers to cannot be had.
    """
    root = Found(document.value, document)
    second = as_text(document.value.get("swagger")).startswith("2.")
    if not second and not as_text(document.value.get("openapi")).startswith("3."):
        raise unusable("the document is neither OpenAPI 3 nor Swagger 2.0")
    described = await _described(root, wanted, references)
    if second:
        return await read_version_2(described, references)
    return await read_version_3(described, references)


async def _described(root: Found, wanted: str, references: References) -> Described:
    """Look at what stands in the document first: many documents keep each path in one of its own."""
    index, paths = root.document.index, as_object(root.value.get("paths"))
    known = list(index.operations)
    if wanted in index.operations:
        path, method = index.operations[wanted]
        item = root.part(paths[path])
        return Described(root, path, method, item, item.part(item.value[method]))
    for path in index.elsewhere:
        item = await references.resolved(root.part(paths[path]))
        for method, name in operations_in(item.value):
            if name == wanted:
                return Described(root, path, method, item, item.part(item.value[method]))
            known.append(name)
    hint = known_are(wanted, tuple(known[:1_000]))
    raise unusable(f"the document has no operation {wanted[:80]!r}: {hint}")
