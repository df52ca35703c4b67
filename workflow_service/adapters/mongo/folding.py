"""Several writes to one document made into one: what an execution went through in between, nobody has to be shown.

A write that follows on others holds for whoever has seen a part of them as well: a beginning gives the whole document, and a change
everything that any of them has changed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, TypeAlias

from chassis.storage.mongo import Document

Write: TypeAlias = tuple[str, Document, Document]
"""What to do; a document to insert or a filter; and the change."""

INSERT: Final = "insert"


def folded(writes: Iterable[Write]) -> list[Write]:
    """Return inserts and changes by ``_id``, in their order, as one write for each ``_id``.

    Changes consist of ``$set``, ``$unset`` and ``$addToSet`` of single values.
    """
    into: dict[str, Write] = {}
    for kind, first, change in writes:
        name = first["_id"]
        before = into.get(name)
        if before is None:
            into[name] = (kind, first, change)
        elif before[0] == INSERT:
            into[name] = (INSERT, changed(before[1], change), {})
        else:
            into[name] = (kind, first, _both(before[2], change))
    return list(into.values())


def changed(document: Document, change: Document) -> Document:
    """Return what *change* makes of *document*."""
    made = {**document, **change.get("$set", {})}
    for name in change.get("$unset", ()):
        made.pop(name, None)
    for name, more in _added(change).items():
        made[name] = _with(made.get(name, ()), more)
    return made


def _both(first: Document, then: Document) -> Document:
    """Return a change that does what *first* and *then* do, one after the other."""
    values = {**first.get("$set", {})}
    removed = {**first.get("$unset", {})}
    added = _added(first)
    for name, value in then.get("$set", {}).items():
        values[name] = value
        removed.pop(name, None)
        added.pop(name, None)
    for name in then.get("$unset", ()):
        values.pop(name, None)
        added.pop(name, None)
        removed[name] = ""
    for name, more in _added(then).items():
        if name in values:
            values[name] = _with(values[name], more)
        else:
            added[name] = _with(added.get(name, ()), more)
    parts = {
        "$set": values,
        "$unset": removed,
        "$addToSet": {name: {"$each": more} for name, more in added.items()},
    }
    return {kind: part for kind, part in parts.items() if part}


def _added(change: Document) -> dict[str, list[object]]:
    return {
        name: list(value["$each"]) if isinstance(value, dict) else [value]
        for name, value in change.get("$addToSet", {}).items()
    }


def _with(values: Iterable[object], more: Iterable[object]) -> list[object]:
    return list(dict.fromkeys([*values, *more]))
