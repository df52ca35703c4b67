"""Tell what publishing a definition would mean for what runs, before it is done.

An execution is pinned to the definition that it began with: publishing another version changes nothing for it, nor for
its retries. What changes is what starts without a version: people, schedules, and tasks that run this workflow.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

import msgspec

from workflow_service.application.caller import Caller
from workflow_service.application.compiled_definitions import CompiledDefinitions
from workflow_service.application.deployment_ports import OpenCount, OpenOfDefinitions
from workflow_service.application.engine.loading import restore
from workflow_service.application.ports import Definitions, EventStore, StoredDefinition
from workflow_service.application.queries.validate_definition import (
    ValidateDefinition,
    ValidateDefinitionHandler,
)
from workflow_service.domain.definition.comparison import (
    Difference,
    ScheduleChange,
    compare,
    compare_schedules,
)
from workflow_service.domain.definition.model import Definition
from workflow_service.domain.execution.standing import standing_at
from workflow_service.domain.expressions import JsonValue
from workflow_service.domain.semver import precedence

_document: msgspec.json.Decoder[dict[str, JsonValue]] = msgspec.json.Decoder(dict[str, Any])

EXAMINED: Final = 500
"""How many open executions of each definition are looked into; all are counted."""
NAMED: Final = 10
"""How many executions are named for each task."""

Concern: TypeAlias = Literal["none", "open", "differing", "breaking"]
"""What open executions of other definitions have to do with the new one, the worst of all.

``none``: there are none. ``open``: they stand at tasks that are the same in both. ``differing``: some are at or within
a task that differs. ``breaking``: at or within one that the new definition has elsewhere, not at all, or as another kind.
"""
_CONCERNS: Final[tuple[Concern, ...]] = ("none", "open", "differing", "breaking")

Published: TypeAlias = Literal["no", "same", "other"]
"""Whether the version is there already: not, with the same content, with other content (which is refused)."""


@dataclass(frozen=True, slots=True)
class StandingTask:
    """A task at which open executions stand; the empty reference: they have not begun."""

    task: str
    executions: int
    first: tuple[str, ...]
    """The ids of some of them."""
    difference: Difference | None
    """The worst that concerns it: its own, or that of a task around it."""


@dataclass(frozen=True, slots=True)
class ComparedVersion:
    """A published definition beside the new one."""

    version: str
    digest: str
    differences: tuple[Difference, ...]
    open: int
    statuses: Mapping[str, int]
    """How many open executions have which status."""
    examined: int
    """Of how many of them is known where they stand."""
    tasks: tuple[StandingTask, ...]

    @property
    def concern(self) -> Concern:
        """What its open executions have to do with the new definition."""
        if not self.open:
            return "none"
        found = [task.difference for task in self.tasks if task.difference is not None]
        if not found:
            return "open"
        return "breaking" if any(each.breaking for each in found) else "differing"


@dataclass(frozen=True, slots=True)
class DeploymentCheck:
    """What publishing would mean."""

    namespace: str
    name: str
    version: str
    digest: str
    published: Published
    newest: str
    """The newest version now; empty: there is none."""
    becomes_newest: bool
    """Whether what starts without a version would run the new one."""
    schedule: ScheduleChange
    """What would become of the workflow's schedule, which is that of its newest version."""
    versions: tuple[ComparedVersion, ...]
    """The newest, and every other one that has open executions."""

    @property
    def concern(self) -> Concern:
        """The worst of all versions."""
        return max((each.concern for each in self.versions), key=_CONCERNS.index, default="none")


@dataclass(frozen=True, slots=True)
class CheckDefinition:
    """Check a document as publishing it does, and compare it with what runs; only the caller's executions count
    unless the caller may see everybody's."""

    caller: Caller
    content: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class CheckDefinitionHandler:
    """Raises what ``ValidateDefinitionHandler`` does."""

    validate: ValidateDefinitionHandler
    definitions: Definitions
    compiled: CompiledDefinitions
    executions: OpenOfDefinitions
    events: EventStore

    async def __call__(self, query: CheckDefinition) -> DeploymentCheck:
        caller = query.caller
        new = await self.validate.read(
            ValidateDefinition(query.content, query.media_type, caller.tenant, caller.id)
        )
        there = await self.definitions.get(caller.tenant, new.namespace, new.name, new.version)
        newest = await self.definitions.newest(caller.tenant, new.namespace, new.name)
        owner = None if caller.reads_all else caller.id
        counts = await self.executions.count(caller.tenant, owner, new.namespace, new.name)
        becomes_newest = newest is None or _is_newer(new.version, newest.version)
        return DeploymentCheck(
            namespace=new.namespace,
            name=new.name,
            version=new.version,
            digest=new.digest,
            published=_published(there, new),
            newest="" if newest is None else newest.version,
            becomes_newest=becomes_newest,
            schedule=_schedule(newest, new if becomes_newest else None),
            versions=tuple([
                await self._compared(query.caller, stored, new, counts)
                for stored in await self._others(caller.tenant, new, newest, counts)
            ]),
        )  # fmt: skip

    async def _others(
        self,
        tenant: str,
        new: Definition,
        newest: StoredDefinition | None,
        counts: Sequence[OpenCount],
    ) -> list[StoredDefinition]:
        """Return the newest definition and those with open executions, without the new one."""
        found = {} if newest is None else {newest.digest: newest}
        for digest in dict.fromkeys(count.digest for count in counts):
            stored = await self.definitions.by_digest(tenant, digest)
            if stored is not None:
                found[digest] = stored
        found.pop(new.digest, None)
        return list(found.values())

    async def _compared(
        self, caller: Caller, stored: StoredDefinition, new: Definition, counts: Sequence[OpenCount]
    ) -> ComparedVersion:
        old = await self.compiled.get(stored)
        differences = await asyncio.to_thread(compare, old, new)
        statuses: Counter[str] = Counter()
        for count in counts:
            if count.digest == old.digest:
                statuses[count.status] += count.executions
        places, examined = (
            await self._places(caller, old) if statuses else (defaultdict[str, list[str]](list), 0)
        )
        return ComparedVersion(
            version=old.version,
            digest=old.digest,
            differences=differences,
            open=statuses.total(),
            statuses=statuses,
            examined=examined,
            tasks=tuple(_standing(places, differences)),
        )

    async def _places(
        self, caller: Caller, old: Definition
    ) -> tuple[defaultdict[str, list[str]], int]:
        """Return which executions stand at which task, and how many were looked into."""
        owner = None if caller.reads_all else caller.id
        which = (old.namespace, old.name, old.digest)
        found = await self.executions.some(caller.tenant, owner, which, EXAMINED)
        places: defaultdict[str, list[str]] = defaultdict(list)
        for execution in found:
            stored = await self.events.load(execution)
            for task in standing_at(restore(stored)) if stored is not None else ():
                places[task].append(execution)
            await asyncio.sleep(0)
        return places, len(found)


def _standing(
    places: Mapping[str, Sequence[str]], differences: Sequence[Difference]
) -> Iterator[StandingTask]:
    for task in sorted(places, key=lambda task: (-len(places[task]), task)):
        around = [each for each in differences if _concerns(each, task)]
        worst = max(around, key=lambda each: (each.breaking, len(each.before)), default=None)
        names = places[task]
        yield StandingTask(task, len(names), tuple(names[:NAMED]), worst)


def _concerns(difference: Difference, task: str) -> bool:
    """Whether *difference* is one of *task* or of what it lies in; not of what it does not know of yet."""
    if difference.kind == "added":
        return False
    return task == difference.before or task.startswith(difference.before + "/")


def _published(there: StoredDefinition | None, new: Definition) -> Published:
    if there is None:
        return "no"
    return "same" if there.digest == new.digest else "other"


def _schedule(newest: StoredDefinition | None, successor: Definition | None) -> ScheduleChange:
    """Return what becomes of the schedule of *newest* when *successor* takes its place, if anything does."""
    old = None if newest is None else _document.decode(newest.document)
    return compare_schedules(old, successor.document if successor is not None else old or {})


def _is_newer(version: str, than: str) -> bool:
    return (precedence(version), version) > (precedence(than), than)
