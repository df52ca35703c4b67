"""What differs between two definitions of a workflow: by task, with JSON Pointers.

Tasks are recognised by the names that lead to them, not by their positions: a task before which another one is
inserted has *moved*. Executions find their place by reference, and a reference has positions in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from workflow_service.domain.definition.model import Definition, Reference
from workflow_service.domain.expressions import JsonValue

Kind: TypeAlias = Literal["added", "removed", "changed", "moved"]

MEMBERS: Final = 20
"""How many members of one task are named at the most."""

_HEAD: Final = "/document"
"""Differs between all versions, and changes nothing that an execution does."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One task, or one part of the document outside of tasks, that is not as it was."""

    kind: Kind
    place: str
    """JSON Pointer in the new document; of what was removed, in the old one."""
    was: str = ""
    """JSON Pointer in the old document, where that is another one."""
    members: tuple[str, ...] = ()
    """What differs in it, as JSON Pointers from its place; tasks inside it are differences of their own."""
    breaking: bool = False
    """Whether an execution that is at this task would not find it under the new definition, or another kind of task."""

    @property
    def before(self) -> str:
        """Where it is in the old document."""
        return self.was or self.place


def compare(old: Definition, new: Definition) -> tuple[Difference, ...]:
    """Return what is in *new* that is not in *old*, and the other way round, in the order of *new*."""
    before, after = _Tasks(old), _Tasks(new)
    found = list(_outside_of_tasks(before, after))
    for name, place in after.by_name.items():
        was = before.by_name.get(name)
        if was is None:
            found.append(Difference("added", place))
        else:
            found += _of_task(before, after, was, place)
    gone = (place for name, place in before.by_name.items() if name not in after.by_name)
    found += (Difference("removed", place, breaking=True) for place in gone)
    return tuple(found)


ScheduleChange: TypeAlias = Literal["none", "begins", "kept", "changes", "ends"]
"""What becomes of a workflow's schedule when another definition is its newest."""


def compare_schedules(
    old: Mapping[str, JsonValue] | None, new: Mapping[str, JsonValue]
) -> ScheduleChange:
    """Return what becomes of the schedule of the document *old*, if there is one, after *new* has taken its place."""
    before, after = _schedule_of(old or {}), _schedule_of(new)
    if before is None:
        return "none" if after is None else "begins"
    if after is None:
        return "ends"
    return "kept" if before == after else "changes"


def _schedule_of(document: Mapping[str, JsonValue]) -> tuple[JsonValue, JsonValue] | None:
    """Return a document's schedule and what its metadata say of it; None if it has none."""
    if "schedule" not in document:
        return None
    metadata = _below(document.get("document"), "metadata")
    return document["schedule"], _below(metadata, "schedule")


class _Tasks:
    """The tasks of a definition, by the names that lead to them."""

    def __init__(self, definition: Definition) -> None:
        self.definition = definition
        self.document: JsonValue = dict(definition.document)
        self.by_name: dict[tuple[str, ...], Reference] = {}
        for reference in definition.tasks:
            name = self._name(reference)
            while name in self.by_name:
                name = (*name, "again")
            self.by_name[name] = reference

    def _name(self, reference: Reference) -> tuple[str, ...]:
        """Return the steps to a task without positions in lists."""
        node: JsonValue = self.document
        names: list[str] = []
        for step in _steps(reference):
            if not isinstance(node, list):
                names.append(step)
            node = _below(node, step)
        return tuple(names)

    def text(self, reference: Reference) -> JsonValue:
        """Return a task as it is written."""
        node: JsonValue = self.document
        for step in _steps(reference):
            node = _below(node, step)
        return node

    def has_tasks_at(self, place: str) -> bool:
        """Whether there is a task at *place*, or a list of them."""
        return place in self.definition.tasks or place in self.definition.lists


def _of_task(
    before: _Tasks, after: _Tasks, was: Reference, place: Reference
) -> Iterator[Difference]:
    same_kind = type(before.definition.tasks[was]) is type(after.definition.tasks[place])
    found = _Comparing(before, after).members(before.text(was), after.text(place), was, place)
    members = tuple(pointer for pointer, _ in zip(found, range(MEMBERS), strict=False))
    if was != place:
        yield Difference("moved", place, was, members, breaking=True)
    elif members or not same_kind:
        yield Difference("changed", place, members=members, breaking=not same_kind)


def _outside_of_tasks(before: _Tasks, after: _Tasks) -> Iterator[Difference]:
    comparing = _Comparing(before, after)
    for place in comparing.members(before.document, after.document, "", ""):
        if not place.startswith(_HEAD + "/"):
            yield Difference("changed", place)


@dataclass(frozen=True, slots=True)
class _Comparing:
    """Walks two documents side by side; tasks inside of what is compared are passed over."""

    before: _Tasks
    after: _Tasks

    def members(
        self, old: JsonValue, new: JsonValue, was: str, place: str, path: str = ""
    ) -> Iterator[str]:
        """Yield where *new* differs from *old*, which stand at *place* and *was*, as pointers from there."""
        if path and (self.before.has_tasks_at(was + path) or self.after.has_tasks_at(place + path)):
            return
        if isinstance(old, dict) and isinstance(new, dict):
            yield from self._of_objects(old, new, was, place, path)
        elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
            for n, (one, other) in enumerate(zip(old, new, strict=True)):
                yield from self.members(one, other, was, place, f"{path}/{n}")
        elif old != new or isinstance(old, bool) != isinstance(new, bool):
            yield path

    def _of_objects(
        self,
        old: Mapping[str, JsonValue],
        new: Mapping[str, JsonValue],
        was: str,
        place: str,
        path: str,
    ) -> Iterator[str]:
        for name in {**old, **new}:
            below = f"{path}/{_escaped(name)}"
            if name in old and name in new:
                yield from self.members(old[name], new[name], was, place, below)
            elif not (
                self.before.has_tasks_at(was + below) or self.after.has_tasks_at(place + below)
            ):
                yield below


def _steps(pointer: str) -> list[str]:
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _below(node: JsonValue, step: str) -> JsonValue:
    if isinstance(node, list):
        return node[int(step)] if step.isdecimal() and int(step) < len(node) else None
    return node.get(step) if isinstance(node, dict) else None
