"""``use.catalogs``, and calls of functions that catalogs have.

A function of a catalog sees its arguments and nothing of the document that calls it, neither its secrets nor the reusable
parts in ``use``; only the catalogs, so that it may call other functions of them. Its tasks have references below
``/use/catalogs/<catalog>/<name>:<version>``.

Source: Open Workflow Specification, DSL, "Catalogs"; DSL reference, "Catalog".
"""

from __future__ import annotations

from typing import Final

from workflow_service.domain.definition.building import ARGUMENTS, Builder, Scope
from workflow_service.domain.definition.model import Task
from workflow_service.domain.definition.pinned import (
    DEFAULT,
    CatalogFunction,
    Wanted,
    function_pointer,
)
from workflow_service.domain.definition.pointers import child
from workflow_service.domain.definition.resources import written_out
from workflow_service.domain.definition.structure import check_function
from workflow_service.domain.definition.task_members import ExternalResource
from workflow_service.domain.definition.tasks import read_task
from workflow_service.domain.definition.vocabulary import known_are

_PLACE: Final = "/use/catalogs"
_SCOPE: Final = Scope(variables=ARGUMENTS - {"secrets"})


def read_catalogs(builder: Builder) -> None:
    """Read every catalog, for the problems in them."""
    for name in builder.use.get("catalogs", {}):
        catalog_root(builder, name)


def catalog_root(builder: Builder, name: str) -> ExternalResource | None:
    """Return where a catalog of the document is; None when that is malformed."""
    place = child(_PLACE, name)
    catalog = builder.use.get("catalogs", {})[name]
    if not isinstance(catalog, dict) or not builder.sound(place):
        return None
    return written_out(builder, catalog, place)


def read_catalog_function(
    builder: Builder, function: CatalogFunction, catalog: str, place: str
) -> Task | None:
    """Read a function of a catalog, once; None when it is malformed, lacking, or called from within itself.

    Args:
        builder: the reading of the document.
        function: which one.
        catalog: the catalog's name.
        place: what calls it, for problems.
    """
    call = f"{function.name}:{function.version}@{catalog}"
    pointer = function_pointer(function, catalog)
    if pointer in builder.pinned:
        return _pinned(builder, call, pointer, place)
    known = builder.use.get("catalogs", {})
    if catalog in known:
        root = catalog_root(builder, catalog)
        if root is None:
            return None
    elif catalog == DEFAULT:
        root = None
    else:
        hint = known_are(catalog, (*known, DEFAULT))
        builder.problem(place, f"{catalog[:80]!r} is not in use.catalogs: {hint}")
        return None
    builder.want(Wanted(pointer, place, f"the function {call}", root, function))
    return None


def _pinned(builder: Builder, call: str, pointer: str, place: str) -> Task | None:
    if call in builder.functions:
        return builder.functions[call]
    if not builder.may_enter(call, place):
        return None
    body = builder.pinned[pointer]
    if not isinstance(body, dict):
        builder.problem(place, f"{call[:200]} is no function: it must be a task, as an object")
        return None
    check_function(body, call, pointer, builder.structure, builder.limits)
    use, loose = builder.use, builder.loose
    builder.use, builder.loose = {"catalogs": use.get("catalogs", {})}, False
    builder.calling.append(call)
    try:
        task = read_task(builder, body, call, pointer, _SCOPE)
    finally:
        builder.calling.pop()
        builder.use, builder.loose = use, loose
    builder.functions[call] = task
    return task
