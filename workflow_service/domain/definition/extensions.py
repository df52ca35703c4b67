"""``use.extensions``: tasks that run before and after others.

Source: Open Workflow Specification, DSL reference, "Extension".
"""

from __future__ import annotations

from typing import Final

from workflow_service.domain.definition.building import ROOT_SCOPE, Builder
from workflow_service.domain.definition.model import Extension, TaskList
from workflow_service.domain.definition.pointers import child
from workflow_service.domain.definition.tasks import read_task_list
from workflow_service.domain.definition.vocabulary import entries
from workflow_service.domain.expressions import JsonValue

_PLACE: Final = "/use/extensions"
_COMPOSITE: Final = frozenset({"do", "fork"})
"""What the standard calls composite: tasks that consist of others and do nothing else with them."""


def read_extensions(builder: Builder, document: dict[str, JsonValue]) -> tuple[Extension, ...]:
    """Read every extension, in the order of the document: the first one is the outermost."""
    use = document.get("use")
    extensions = use.get("extensions") if isinstance(use, dict) else None
    found: list[Extension] = []
    first: dict[str, str] = {}
    for index, name, extension in entries(extensions):
        place = child(_PLACE, index, name)
        if first.setdefault(name, place) != place:
            builder.problem(place, f"has the same name as {first[name]}: each must have its own")
        found.append(_extension(builder, name, extension, place))
    return tuple(found)


def _extension(
    builder: Builder, name: str, extension: dict[str, JsonValue], place: str
) -> Extension:
    when, extend = extension.get("when"), str(extension.get("extend"))
    return Extension(
        name=name,
        kinds=_kinds(extend),
        when=builder.expression(when, child(place, "when"), ROOT_SCOPE)
        if isinstance(when, str)
        else None,
        before=_list(builder, extension, place, "before"),
        after=_list(builder, extension, place, "after"),
    )


def _kinds(extend: str) -> frozenset[str]:
    if extend == "all":
        return frozenset()
    return _COMPOSITE if extend == "composite" else frozenset({extend})


def _list(
    builder: Builder, extension: dict[str, JsonValue], place: str, member: str
) -> TaskList | None:
    tasks = extension.get(member)
    if not isinstance(tasks, list) or not tasks:
        return None
    return read_task_list(builder, tasks, child(place, member), ROOT_SCOPE)
