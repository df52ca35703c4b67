"""An operation as its document has it.

Source: OpenAPI 2.0, 3.0.4 and 3.1.1, "Path Item Object", "Operation Object".
"""

from __future__ import annotations

from dataclasses import dataclass

from workflow_service.adapters.task_runners.openapi.operation import as_list, as_text
from workflow_service.adapters.task_runners.openapi.references import Found, References


@dataclass(frozen=True, slots=True)
class Described:
    """An operation as its document has it, references still in it."""

    root: Found
    path: str
    method: str
    item: Found
    operation: Found

    async def parameters(self, references: References) -> list[Found]:
        """Return the parameters: those of the path, and those of the operation, which come first where both have one.

        Raises:
            Raised: a reference leads nowhere.
            ResourceFailed: another document cannot be had.
        """
        known: dict[tuple[str, str], Found] = {}
        for owner in (self.item, self.operation):
            for each in as_list(owner.value.get("parameters")):
                found = await references.resolved(owner.part(each))
                known[as_text(found.value.get("name")), as_text(found.value.get("in"))] = found
        return list(known.values())
