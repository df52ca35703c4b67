"""A bus within one process, durable through the log that feeds it.

`publish` returns once every subscription has taken the events in. So whoever feeds it from a
committed log, and remembers how far it came (`chassis.messaging.relay`), loses nothing when the
process dies: what was not remembered is published again.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Self

from chassis.errors import NotFound, Unavailable
from chassis.messaging.port import (
    CloudEvent,
    DeadLetter,
    DeadLetterHandler,
    Handler,
    TogetherHandler,
    matches,
)
from chassis.messaging.retry import Backoff, GivenUp, deliver
from chassis.messaging.signals import DEAD, DELIVERED, log_given_up
from chassis.telemetry.logging import get_logger

_log = get_logger("chassis.messaging")

KEPT_DEAD = 1_000


@dataclass(eq=False, slots=True)
class _Subscription:
    name: str
    types: tuple[str, ...]
    handler: Handler
    at_once: int
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while events are handed over: publishers take turns, so that order is kept."""

    def wants(self, event_type: str) -> bool:
        return any(matches(pattern, event_type) for pattern in self.types)


class MemoryBus:
    """See the module. A slow subscription slows its publishers, but not other subscriptions."""

    def __init__(self, backoff: Backoff | None = None) -> None:
        self._backoff = backoff or Backoff()
        self._subscriptions: dict[str, _Subscription] = {}
        self._by_type: dict[str, tuple[_Subscription, ...]] = {}
        self._stopped = False
        self._keep: DeadLetterHandler | None = None
        self.dead_letters: deque[DeadLetter] = deque(maxlen=KEPT_DEAD)
        """The last events that were given up, oldest first."""

    async def __aenter__(self) -> Self:
        self._stopped = False
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._stopped = True

    def subscribe(
        self,
        name: str,
        types: Sequence[str],
        handler: Handler,
        *,
        at_once: int = 1,
        outside: bool = False,
    ) -> None:
        """Give *handler* the events of *types*; see `Bus.subscribe`. Outside of a process is nobody."""
        if outside:
            return
        if name in self._subscriptions:
            raise ValueError(f"there is a subscription called {name} already")
        self._subscriptions[name] = _Subscription(name, tuple(types), handler, at_once)
        self._by_type.clear()

    def expect(self, name: str, types: Sequence[str], *, at_once: int = 1) -> None:
        """Nothing to do: who feeds this bus from a log does so once everybody has subscribed."""

    async def leave(self, *names: str) -> None:
        """Nothing to do: who feeds this bus stops before those who hear it."""

    def keep_dead_letters(self, handler: DeadLetterHandler) -> None:
        """Give *handler* whatever is given up, before it counts as published."""
        self._keep = handler

    async def redeliver(self, subscription: str, event: CloudEvent) -> None:
        """See `Bus.redeliver`."""
        if not subscription:
            await self.publish([event])
            return
        if self._stopped:
            raise Unavailable("the bus is stopped", retry_after=1)
        found = self._subscriptions.get(subscription)
        if found is None:
            raise NotFound(f"nobody subscribes as {subscription}")
        await self._hand_over(found, [event])

    def nudge(self, topic: str, subject: str = "") -> None:
        """Nothing to do: there is no other process."""

    def on_nudge(self, topic: str, handler: Callable[[str], None]) -> None:
        """Nothing to do: there is no other process."""

    @property
    def reaches_others(self) -> bool:
        """There is no other process."""
        return False

    async def check(self) -> None:
        """See `Bus.check`."""
        if self._stopped:
            raise Unavailable("the bus is stopped")

    def has_subscribers(self, event_type: str) -> bool:
        """Whether anybody wants events of *event_type*."""
        return bool(self._wanting(event_type))

    async def publish(self, events: Sequence[CloudEvent]) -> None:
        """Return once every subscription has taken in, or given up, each of *events* it wants."""
        if self._stopped:
            raise Unavailable("the bus is stopped", retry_after=1)
        shares: dict[_Subscription, list[CloudEvent]] = {}
        for event in events:
            for subscription in self._wanting(event.type):
                shares.setdefault(subscription, []).append(event)
        if len(shares) == 1:
            await self._hand_over(*shares.popitem())
        elif shares:
            async with asyncio.TaskGroup() as group:
                for subscription, share in shares.items():
                    group.create_task(self._hand_over(subscription, share))

    def _wanting(self, event_type: str) -> tuple[_Subscription, ...]:
        wanting = self._by_type.get(event_type)
        if wanting is None:
            wanting = tuple(s for s in self._subscriptions.values() if s.wants(event_type))
            # Types come from workflow authors, too: what is remembered must not grow with them.
            if len(self._by_type) >= 1_000:
                self._by_type.clear()
            self._by_type[event_type] = wanting
        return wanting

    async def _hand_over(self, subscription: _Subscription, events: Sequence[CloudEvent]) -> None:
        step = subscription.at_once
        async with subscription.turn:
            if step == 1 or len(events) == 1:
                for event in events:
                    await self._deliver(subscription, event)
                return
            for start in range(0, len(events), step):
                share = events[start : start + step]
                if not await _taken_together(subscription, share):
                    async with asyncio.TaskGroup() as group:
                        for event in share:
                            group.create_task(self._deliver(subscription, event))

    async def _deliver(self, subscription: _Subscription, event: CloudEvent) -> None:
        try:
            await deliver(subscription.name, subscription.handler, event, self._backoff)
        except GivenUp as exc:
            await self._bury(subscription, event, exc.cause)
        else:
            DELIVERED.child(subscription.name).inc()

    async def _bury(self, subscription: _Subscription, event: CloudEvent, cause: Exception) -> None:
        letter = DeadLetter(subscription.name, event, str(cause))
        self.dead_letters.append(letter)
        DEAD.child(subscription.name).inc()
        log_given_up(letter, cause)
        failures = 0
        while self._keep is not None:
            try:
                await self._keep(letter)
            except Unavailable:
                failures += 1
                await asyncio.sleep(self._backoff.pause(failures))
            else:
                return


async def _taken_together(subscription: _Subscription, events: Sequence[CloudEvent]) -> bool:
    """Whether the handler has taken all of *events* in with one call."""
    handler = subscription.handler
    if not isinstance(handler, TogetherHandler):
        return False
    try:
        await handler.together(events)
    except Exception as exc:  # noqa: BLE001 -- alone, each event gets its own outcome
        _log.info("events_taken_alone", subscription=subscription.name, reason=str(exc))
        return False
    DELIVERED.child(subscription.name).inc(len(events))
    return True
