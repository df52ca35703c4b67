"""Bugs of listening, planted one by one; see ``planted_bugs``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from tests.simulation.memory_events import MemoryEvents
from tests.simulation.planted_bugs import Bug
from workflow_service.application.engine import make_decision
from workflow_service.application.engine.lanes import BATCH, Lanes
from workflow_service.domain.events import Consumed, ConsumptionStrategy, Progress, ReceivedEvent
from workflow_service.domain.events.matching import Evaluate
from workflow_service.domain.execution.listening import NO_CHANGE
from workflow_service.domain.execution.tasks import listen


def _never_subscribed(right: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *_: NO_CHANGE


def _whatever_came_before(right: Callable[..., Any]) -> Callable[..., Any]:
    def waiting(
        self: MemoryEvents, tenant: str, shape: Any, key: str, position: int, *rest: Any
    ) -> Any:
        return right(self, tenant, shape, key, 10**9, *rest)

    return waiting


def _again_and_again(right: Callable[..., Any]) -> Callable[..., Any]:
    def consume(
        strategy: ConsumptionStrategy, progress: Progress, event: ReceivedEvent, evaluate: Evaluate
    ) -> Consumed | None:
        forgotten = replace(progress, position=-1)
        found: Consumed | None = right(strategy, forgotten, event, evaluate)
        return found

    return consume


def _place_before_work(right: Callable[..., Any]) -> Callable[..., Any]:
    async def step(self: Any, tenant: str) -> None:
        arrived = await self._intake.read(self._places[tenant], BATCH, tenant)
        self._places[tenant] = arrived[-1].event.position if arrived else self._ends[tenant]
        await self._hear(tenant, [each.event for each in arrived])

    return step


EVENT_BUGS = (
    Bug(
        "deaf",
        "subscriptions are forgotten",
        make_decision,
        "subscription_change",
        _never_subscribed,
    ),
    Bug(
        "heard-before",
        "what came before a subscription is heard",
        MemoryEvents,
        "waiting",
        _whatever_came_before,
    ),
    Bug("heard-twice", "an event is taken again", listen, "consume", _again_and_again),
    Bug(
        "place-first",
        "the reader moves on before its work is done",
        Lanes,
        "_step",
        _place_before_work,
    ),
)
