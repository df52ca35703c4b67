"""Brings every event of the intake to those who wait for it.

An index finds them: by tenant, by type, by what their filters have in common, and by the values that they expect. So an
event that one of ten thousand waits for costs a look at one of them; what they decide is theirs.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Final

from chassis.errors import ServiceError, Unavailable
from chassis.telemetry import metrics
from chassis.telemetry.logging import get_logger
from workflow_service.application.compiled_definitions import CompiledDefinitions
from workflow_service.application.engine.make_decision import MakeDecision
from workflow_service.application.event_ports import Subscriptions, Waiting
from workflow_service.application.ports import Definitions, StaleOwner
from workflow_service.domain.definition.problems import DefinitionInvalid
from workflow_service.domain.definition.subscriptions import ListenTask
from workflow_service.domain.events import EventFilter, ReceivedEvent
from workflow_service.domain.events.matching import key_of_event
from workflow_service.domain.execution.commands import ReceiveEvent
from workflow_service.domain.execution.listening import Shape
from workflow_service.domain.expressions import Expression, JsonValue, NeedsWorker

_log = get_logger("workflow_service.listeners")

READER: Final = "listeners"
"""Name of the place in the intake up to which listeners have been served."""
PAGE: Final = 500
AT_ONCE: Final = 32
"""To how many listeners of a tenant events are brought at the same time."""
_FIRST_DELAY, _LONGEST_DELAY = 0.05, 5.0

_BROUGHT: Final = metrics.counter(
    "workflow_events_brought_total",
    "Events brought to listeners that may want them, by whether they got there.",
    ["outcome"],
)

AHEAD: Final = 5_000
"""How many are found before events are brought to them."""

_Found = dict[str, list[tuple[Waiting, ReceivedEvent]]]

Deliver = Callable[[str, ReceiveEvent], Awaitable[object]]


class HearEvents:
    """Finds those who wait, and brings them what came, in order.

    Executions do not wait for each other; each gets its events in the order of the intake.

    Args:
        subscriptions: who waits for what.
        definitions: have the filters.
        compiled: the same, ready to use.
        patience: evaluates costly expressions of filters.
        deliver: feeds a stimulus to an execution, durably.
    """

    def __init__(
        self,
        subscriptions: Subscriptions,
        definitions: Definitions,
        compiled: CompiledDefinitions,
        patience: MakeDecision,
        deliver: Deliver,
    ) -> None:
        self._subscriptions = subscriptions
        self._definitions = definitions
        self._compiled = compiled
        self._patience = patience
        self._deliver = deliver

    async def __call__(self, tenant: str, events: Sequence[ReceivedEvent]) -> None:
        """Bring *events* to all of *tenant* who may want them; when this returns, they have them.

        They are found for many at a time: who is found early is asked again when it decides. An event changes who waits
        only by fewer and by those who wait for later ones, so that looking ahead finds everybody.

        Raises:
            Unavailable: the store does not answer now.
        """
        found: _Found = defaultdict(list)
        count = 0
        for event in events:
            brought: set[Waiting] = set()
            for shape in await self._subscriptions.shapes(tenant, event.text("type")):
                async for page in self._pages(tenant, shape, event):
                    fresh = [each for each in page if each not in brought]
                    brought.update(fresh)
                    for each in fresh:
                        found[each.execution].append((each, event))
                    count += len(fresh)
                    if count >= AHEAD:
                        await self._bring_all(found)
                        found, count = defaultdict(list), 0
        await self._bring_all(found)

    async def _bring_all(self, found: _Found) -> None:
        room = asyncio.Semaphore(AT_ONCE)
        lines = (self._bring_in_order(room, line) for line in found.values())
        await asyncio.gather(*lines)

    async def _bring_in_order(
        self, room: asyncio.Semaphore, line: Sequence[tuple[Waiting, ReceivedEvent]]
    ) -> None:
        async with room:
            for waiting, event in line:
                await self._bring(waiting, event)

    async def _pages(
        self, tenant: str, shape: Shape, event: ReceivedEvent
    ) -> AsyncIterator[Sequence[Waiting]]:
        """Yield those who wait for *event* by one filter."""
        wanted = await self._filter(tenant, shape)
        key = None if wanted is None else await self._key(wanted, event)
        if key is None:
            return
        last: Waiting | None = None
        while True:
            page = await self._subscriptions.waiting(
                tenant, event.text("type"), shape, key, event.position, last, PAGE
            )
            yield page
            if len(page) < PAGE:
                return
            last = page[-1]

    async def _filter(self, tenant: str, shape: Shape) -> EventFilter | None:
        definition = self._compiled.peek(shape.digest)
        if definition is None:
            stored = await self._definitions.by_digest(tenant, shape.digest)
            if stored is None:
                _log.error("definition_of_listener_missing", digest=shape.digest)
                return None
            try:
                definition = await self._compiled.get(stored)
            except DefinitionInvalid as refused:
                _log.error("definition_of_listener_refused", reason=refused.message)
                return None
        task = definition.tasks.get(shape.task)
        return task.to.filter_at(shape.place) if isinstance(task, ListenTask) else None

    async def _key(self, wanted: EventFilter, event: ReceivedEvent) -> str | None:
        try:
            return key_of_event(wanted, event, _here)
        except NeedsWorker:
            return await self._patience.patiently(lambda: key_of_event(wanted, event, _anywhere))

    async def _bring(self, waiting: Waiting, event: ReceivedEvent) -> None:
        """Bring an event however long the store takes: nobody may go on before it is there."""
        stimulus = ReceiveEvent(waiting.frame, waiting.number, event)
        delay = _FIRST_DELAY
        while True:
            try:
                await self._deliver(waiting.execution, stimulus)
            except (Unavailable, StaleOwner):
                await asyncio.sleep(delay)
                delay = min(delay * 2, _LONGEST_DELAY)
            except Exception as failure:  # noqa: BLE001 - one that is broken must not keep events from all others
                known = isinstance(failure, ServiceError)
                _log.error(
                    "event_not_brought",
                    execution=waiting.execution,
                    position=event.position,
                    exc_info=None if known else failure,
                )
                _BROUGHT.child("failed").inc()
                return
            else:
                _BROUGHT.child("brought").inc()
                return


def _here(expression: Expression, document: JsonValue) -> JsonValue:
    return expression.evaluate_here(document, {})


def _anywhere(expression: Expression, document: JsonValue) -> JsonValue:
    return expression.evaluate(document, {})
