"""``use.functions``: tasks that ``call`` runs by their name."""

from __future__ import annotations

from workflow_service.domain.definition.building import ROOT_SCOPE, Builder
from workflow_service.domain.definition.model import Task
from workflow_service.domain.definition.pointers import child
from workflow_service.domain.definition.tasks import read_task


def read_function(builder: Builder, name: str, pointer: str) -> Task | None:
    """Read a function, once; None when it is malformed, or called from within itself.

    A function sees only its arguments: nothing of the place that calls it.

    Args:
        builder: the reading of the document.
        name: a key of ``use.functions``.
        pointer: the place that calls it, for the problem of calling itself.
    """
    if name in builder.functions:
        return builder.functions[name]
    if not builder.may_enter(name, pointer):
        return None
    body = builder.use.get("functions", {})[name]
    if not isinstance(body, dict):
        return None
    builder.calling.append(name)
    try:
        task = read_task(builder, body, name, child("/use/functions", name), ROOT_SCOPE)
    finally:
        builder.calling.pop()
    builder.functions[name] = task
    return task
