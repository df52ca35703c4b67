"""Brings events to the schedules that want them: what is enough for a start is kept with the schedule, and started from there.

The place in the intake is saved after the records were. Events that come again after a crash are known by their
positions, and what they lead to is the same.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from msgspec.structs import replace

from chassis.clock import Clock
from chassis.errors import Unavailable
from chassis.telemetry.logging import get_logger
from workflow_service.application.compiled_definitions import CompiledDefinitions
from workflow_service.application.event_ports import Arrived
from workflow_service.application.ports import Definitions
from workflow_service.application.reached import reached
from workflow_service.application.schedule_ports import KeptSchedule, ScheduleRecord, Schedules
from workflow_service.domain.definition.model import Definition
from workflow_service.domain.events import ReceivedEvent
from workflow_service.domain.expressions import (
    ExpressionsUnavailable,
    JsonValue,
    NeedsWorker,
)
from workflow_service.domain.schedules.gathering import Heard, Wanted, within
from workflow_service.domain.schedules.model import On

_log = get_logger("workflow_service.schedules")

READER: Final = "schedules"
"""Name of the place in the intake up to which schedules have heard."""
SIZE: Final = 8 * 1024 * 1024
"""Bytes of the events that a schedule may have gathered, and not started for."""
_PAGE: Final = 200
_ATTEMPTS: Final = 50


class Hearing:
    """Hears events for schedules.

    Args:
        schedules: kept here.
        definitions: have the filters.
        compiled: the same, ready to use.
        clock: says since when a start is due.
        most: how many groups of events a schedule may have gathered, and as many may wait for their start.
        heard: told when a start is due.
    """

    def __init__(
        self,
        schedules: Schedules,
        definitions: Definitions,
        compiled: CompiledDefinitions,
        clock: Clock,
        most: int,
        heard: Callable[[], None],
    ) -> None:
        self._schedules = schedules
        self._definitions = definitions
        self._compiled = compiled
        self._clock = clock
        self._most = most
        self._told = heard

    async def __call__(self, events: Sequence[Arrived]) -> None:
        """Bring *events* to all schedules that may want them; when this returns, they have them.

        Raises:
            Unavailable: the store does not answer now.
        """
        lanes: defaultdict[str, list[ReceivedEvent]] = defaultdict(list)
        for arrived in events:
            lanes[arrived.tenant].append(arrived.event)
        for tenant, heard in lanes.items():
            place = ("", "")
            while page := await self._schedules.listening(tenant, place, _PAGE):
                for kept in page:
                    await self._bring(kept, heard)
                last = page[-1].record
                place = (last.namespace, last.name)

    async def _bring(self, kept: KeptSchedule, events: Sequence[ReceivedEvent]) -> None:
        key = kept.record.key
        try:
            for _ in range(_ATTEMPTS):
                if await self._brought(kept, events):
                    return
                found = await self._schedules.get(key)
                if found is None:
                    return
                kept = found
        except Unavailable:
            raise
        except Exception:  # noqa: BLE001 - one that is broken must not keep events from all others
            _log.exception("schedule_broken", tenant=key.tenant, schedule=key.id)
            return
        raise Unavailable("a schedule is changing too fast", retry_after=1.0)

    async def _brought(self, kept: KeptSchedule, events: Sequence[ReceivedEvent]) -> bool:
        """Let a schedule hear *events*; False when it has changed meanwhile."""
        record, trigger = kept.record, kept.record.schedule.trigger
        if not isinstance(trigger, On) or record.paused is not None:
            return True
        fitting = [event for event in events if trigger.may_want(event.text("type"))]
        definition = await self._definition(record) if fitting else None
        if definition is None or definition.on is None:
            return True
        before = record.heard or Heard()
        after = await _heard(definition, trigger, before, fitting)
        if after is before:
            return True
        after, lost = within(after, self._most, SIZE)
        if lost:
            reached("schedule_events")
        next_at = record.next_at or (self._clock.now() if after.pending else None)
        changed = replace(record, heard=after, next_at=next_at, missed=record.missed + lost)
        if not await self._schedules.put(changed, kept.revision):
            return False
        self._told()
        return True

    async def _definition(self, record: ScheduleRecord) -> Definition | None:
        known = self._compiled.peek(record.digest)
        if known is not None:
            return known
        stored = await self._definitions.by_digest(record.tenant, record.digest)
        return None if stored is None else await self._compiled.get(stored)


async def _heard(
    definition: Definition, trigger: On, before: Heard, events: Sequence[ReceivedEvent]
) -> Heard:
    """Return what *events* change; where an expression may take long, in a thread."""
    try:
        return _followed(_wanted(definition, trigger, patient=False), before, events)
    except NeedsWorker:
        patient = _wanted(definition, trigger, patient=True)
    try:
        return await asyncio.to_thread(_followed, patient, before, events)
    except ExpressionsUnavailable as busy:
        raise Unavailable("too many costly expressions at once", retry_after=1.0) from busy


def _followed(wanted: Wanted, heard: Heard, events: Sequence[ReceivedEvent]) -> Heard:
    for event in events:
        heard = wanted.hear(heard, event)
    return heard


def _wanted(definition: Definition, trigger: On, *, patient: bool) -> Wanted:
    if definition.on is None:
        raise LookupError(f"{definition.name} has no events that it is started by")
    arguments = _arguments(definition)
    if patient:
        return Wanted(
            definition.on,
            trigger.read,
            lambda expression, document: expression.evaluate(document, arguments),
            lambda template: template.render(None, arguments),
        )
    return Wanted(
        definition.on,
        trigger.read,
        lambda expression, document: expression.evaluate_here(document, arguments),
        lambda template: template.render_here(None, arguments),
    )


def _arguments(definition: Definition) -> Mapping[str, JsonValue]:
    """Return what expressions see before there is an execution."""
    nothing = ("context", "input", "output", "secrets", "task", "authorization", "runtime")
    absent: dict[str, JsonValue] = dict.fromkeys(nothing)
    return absent | {"workflow": {"definition": dict(definition.document)}}
