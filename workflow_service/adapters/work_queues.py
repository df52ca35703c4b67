"""Executions that any process may begin, told to all of them by queues on the broker.

A message is a hint that an execution may go on. The store has the truth: who hears one looks there, so that a hint that
comes late, twice or never changes nothing but the moment. There is a queue for each class of priorities, since a quorum
queue knows no priorities of its own; a process takes from all of them, and works on what it has by weight.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from functools import partial
from typing import Final

from chassis.clock import Clock
from chassis.errors import Invalid, Unavailable
from chassis.messaging.port import Bus, CloudEvent
from chassis.telemetry import metrics
from chassis.telemetry.logging import get_logger
from workflow_service.application.engine.load_execution import ExecutionVanished
from workflow_service.application.engine.slots import FairGate
from workflow_service.application.ports import StaleOwner, Summary
from workflow_service.application.projections.announcements import SOURCE
from workflow_service.application.projections.fact_types import OWN

_log = get_logger("workflow_service.work_queues")

WEIGHTS: Final = {"urgent": 6, "high": 3, "normal": 1}
"""How many of each class are gone on with in a round while all of them wait."""
_CLASSES: Final = ("normal",) * 4 + ("high",) * 3 + ("urgent",) * 3
"""By priority, 0 to 9."""
QUEUES: Final = {name: f"work.{name}" for name in WEIGHTS}
"""The subscription of each class."""
ROOM: Final = 32
"""How many are gone on with at the same time."""
AT_ONCE: Final = 32
"""How many of each class are here, the others wait at the broker for whoever has room."""
LINGER: Final = 0.003
"""Seconds for which hints are gathered."""
MOST: Final = 2_000
"""How many hints wait for the broker at the most; then nothing is left to others any more."""
PATIENCE: Final = 2.0
"""Seconds without the broker's word after which nothing is left to others until it comes."""

_MESSAGES: Final = metrics.counter(
    "workflow_work_messages_total",
    "Hints that an execution may go on: given to others or not, and what they came to.",
    ["class", "how"],
)

GoOn = Callable[[str], Awaitable[object]]


def class_of(priority: int) -> str:
    """Return the class of a priority from 0 to 9."""
    return _CLASSES[priority]


def type_of(name: str) -> str:
    """Return the type of the messages of a class."""
    return f"{OWN}work-{name}.v1"


class WorkQueues:
    """Implements ``Sharing``, and takes what is shared.

    Args:
        bus: has the queues.
        clock: says when something was offered.
        others: the other processes that live.
        room: how many executions are gone on with at the same time.
    """

    def __init__(
        self, bus: Bus, clock: Clock, others: Callable[[], Collection[str]], room: int = ROOM
    ) -> None:
        self._bus = bus
        self._clock = clock
        self._others = others
        self._gate = FairGate(room, WEIGHTS)
        self._offered: list[Summary] = []
        self._rung = asyncio.Event()
        self._telling_since: float | None = None
        self._leaving = False
        self.waiting = 0
        """How many hints are here that nobody has begun to look at."""

    # ------------------------------------------------------------ leaving work to others

    @property
    def works(self) -> bool:
        """See ``Sharing``."""
        if not self._others() or not self._bus.reaches_others or len(self._offered) >= MOST:
            return False
        since = self._telling_since
        return since is None or asyncio.get_running_loop().time() - since < PATIENCE

    def offer(self, accepted: Summary) -> None:
        """See ``Sharing``."""
        self._offered.append(accepted)
        self._rung.set()

    async def run(self) -> None:
        """Tell what is offered, for ever."""
        while True:
            await self._rung.wait()
            await asyncio.sleep(LINGER)
            self._rung.clear()
            offered, self._offered = self._offered, []
            self._telling_since = asyncio.get_running_loop().time()
            try:
                how = await self._told(offered)
            finally:
                self._telling_since = None
            for each in offered:
                _MESSAGES.child(class_of(each.priority), how).inc()

    async def _told(self, offered: Sequence[Summary]) -> str:
        try:
            await self._bus.publish([self._message(each) for each in offered])
        except Unavailable as failure:
            # The store has them, and whoever looks for what is due finds them.
            _log.warning("work_not_told", executions=len(offered), reason=failure.message)
            return "untold"
        return "told"

    def _message(self, accepted: Summary) -> CloudEvent:
        return CloudEvent(
            id=accepted.execution,
            source=SOURCE,
            type=type_of(class_of(accepted.priority)),
            time=self._clock.now(),
            subject=accepted.execution,
            extensions={"tenant": accepted.tenant},
        )

    # ------------------------------------------------------------ taking it

    def take(self, go_on: GoOn) -> None:
        """Go on from now on, by *go_on*, with what is shared."""
        for name, queue in QUEUES.items():
            handler = partial(self._heard, name, go_on)
            self._bus.subscribe(queue, (type_of(name),), handler, at_once=AT_ONCE)

    async def leave(self) -> None:
        """Take nothing more; what was begun is done when this returns."""
        self._leaving = True
        await self._bus.leave(*QUEUES.values())

    async def _heard(self, name: str, go_on: GoOn, event: CloudEvent) -> None:
        """Go on with what *event* names.

        Raises:
            Invalid: it names nothing.
            Unavailable: the store does not answer; the message is kept until it does.
        """
        if not event.subject:
            raise Invalid("it names no execution")
        self.waiting += 1
        try:
            await self._gate.enter(name, 0)
        finally:
            self.waiting -= 1
        try:
            how = await self._gone_on(go_on, event.subject)
        finally:
            self._gate.leave()
        _MESSAGES.child(name, how).inc()

    async def _gone_on(self, go_on: GoOn, execution: str) -> str:
        try:
            await go_on(execution)
        except (ExecutionVanished, StaleOwner):
            return "stale"
        except Unavailable:
            if not self._leaving:
                raise
            return "left"  # whoever lives finds it in the store
        return "gone on"
