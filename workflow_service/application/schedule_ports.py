"""What schedules need of the store."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

import msgspec

from workflow_service.domain.definition.model import Definition
from workflow_service.domain.schedules.gathering import Heard
from workflow_service.domain.schedules.model import Schedule


class ScheduleKey(NamedTuple):
    """Whose schedule, of which workflow: there is one, that of its newest version."""

    tenant: str
    namespace: str
    name: str

    @property
    def id(self) -> str:
        """What people call it; neither part can have a point."""
        return f"{self.namespace}.{self.name}"


class Paused(msgspec.Struct, frozen=True):
    """Somebody halted a schedule."""

    at: datetime
    by: str
    reason: str = ""


class ScheduleRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A schedule and where it stands."""

    tenant: str
    namespace: str
    name: str
    version: str
    """Of the definition that drives it."""
    digest: str
    owner: str
    """Who published that, and whose executions it starts."""
    schedule: Schedule
    begun_at: datetime
    """From when on it has been as it is: periods are counted from here."""
    next_at: datetime | None
    """The first tick for which nothing was done; None while the end of an execution is awaited."""
    awaited: str = ""
    """The execution after whose end it starts again."""
    last_at: datetime | None = None
    """The latest tick that was started for."""
    last_execution: str = ""
    started: int = 0
    missed: int = 0
    """Ticks for which nothing was started."""
    paused: Paused | None = None
    heard: Heard | None = None
    """Of ``on``: the events so far."""

    @property
    def key(self) -> ScheduleKey:
        """Where it is kept."""
        return ScheduleKey(self.tenant, self.namespace, self.name)

    @property
    def due_at(self) -> datetime | None:
        """When somebody must look at it; None when nothing will happen by itself."""
        return None if self.paused is not None else self.next_at


class KeptSchedule(NamedTuple):
    """A record and the number of its last change."""

    record: ScheduleRecord
    revision: int


class Schedules(Protocol):
    """Schedules, each changed by one at a time: who changes one says which revision was seen."""

    async def get(self, key: ScheduleKey) -> KeptSchedule | None:
        """Return one."""
        ...

    async def put(self, record: ScheduleRecord, revision: int) -> bool:
        """Replace the record with that *revision* (0: there must be none), durably; False when it is another one by now."""
        ...

    async def remove(self, key: ScheduleKey, revision: int) -> bool:
        """Delete the record with that *revision*; False when it is another one by now."""
        ...

    async def list(
        self, tenant: str, after: tuple[str, str], limit: int
    ) -> Sequence[ScheduleRecord]:
        """Return schedules ordered by namespace and name, those above *after*."""
        ...

    async def count(self, tenant: str, limit: int) -> int:
        """Return how many *tenant* has, counting no further than *limit*."""
        ...

    async def due(self, now: datetime, limit: int) -> Sequence[KeptSchedule]:
        """Return those whose time has come, the longest due first."""
        ...

    async def next_due(self) -> datetime | None:
        """Return the earliest time at which one is due."""
        ...

    async def listening(
        self, tenant: str, after: tuple[str, str], limit: int
    ) -> Sequence[KeptSchedule]:
        """Return those of *tenant* that events start, ordered by namespace and name, those above *after*."""
        ...

    async def everybodys(self, after: ScheduleKey, limit: int) -> Sequence[KeptSchedule]:
        """Return schedules of all tenants ordered by key, those above *after*."""
        ...


class Arranges(Protocol):
    """Keeps the schedule of a workflow as its newest version has it."""

    async def admit(self, key: ScheduleKey, definition: Definition) -> None:
        """Make sure that there is room for the schedule of *definition*, if it has one.

        Raises:
            Conflict: there is none.
        """
        ...

    async def follow(self, key: ScheduleKey) -> None:
        """Do as the newest version says, whoever publishes another one meanwhile; again changes nothing."""
        ...
