"""The bus on RabbitMQ: docs/messaging.md tells what is there and why.

The driver's own reconnecting is not used: here everything that is to be there is written down, and one
loop brings each new connection to that state, looks now and then whether it still is, and says so when
it cannot be. So a consumer that the broker dropped, a queue that somebody deleted and a topology that
does not fit are one case.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlsplit

from chassis.clock import Clock, SystemClock
from chassis.errors import Unavailable
from chassis.lifecycle import Supervisor
from chassis.messaging.port import DEAD_LETTERS, CloudEvent, DeadLetterHandler, Handler, matches
from chassis.messaging.rabbitmq.consuming import Consumer, Take
from chassis.messaging.rabbitmq.envelope import Seals
from chassis.messaging.rabbitmq.errors import DRIVER_ERRORS, cancelled_by_driver
from chassis.messaging.rabbitmq.nudging import Nudging
from chassis.messaging.rabbitmq.publishing import Publisher
from chassis.messaging.rabbitmq.session import Session, SessionLost, opened
from chassis.messaging.rabbitmq.settings import RabbitSettings
from chassis.messaging.rabbitmq.taking import Taking
from chassis.messaging.rabbitmq.topology import Names, QueuePlan, TopologyMismatch
from chassis.messaging.retry import Backoff
from chassis.telemetry import metrics
from chassis.telemetry.logging import get_logger

_log = get_logger("chassis.messaging.rabbitmq")
_CONNECTED = metrics.gauge("bus_connected", "Whether the broker is reached (1).", ["client"])
_CONNECTS = metrics.counter("bus_connections_total", "Connections that were made.", ["client"])

GRACE: Final = 30.0
"""Seconds without a usable broker after which the service says that it is not well: events wait in the
store meanwhile, and everything else works."""
LONGEST_PAUSE: Final = 3.0
"""Seconds between two attempts to connect, at the most."""
_LEAVING: Final = 10.0


class RabbitBus:
    """Implements `Bus`.

    Args:
        settings: where and how.
        seals: vouch for what is published, and prove what comes.
        client: what this connection is called at the broker.
        backoff: the pauses between attempts, to connect and to hand over.
        clock: tells the time.
    """

    def __init__(
        self,
        settings: RabbitSettings,
        seals: Seals,
        *,
        client: str,
        backoff: Backoff | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._settings = settings
        self._client = client
        self._backoff = backoff or Backoff()
        self._names = Names(settings.prefix)
        self._plans: dict[str, QueuePlan] = {}
        self._consumers: dict[str, Consumer] = {}
        self._session: Session | None = None
        self._usable = asyncio.Event()
        self._troubled_since = time.monotonic() - GRACE
        self._trouble: str | None = "the broker has not been reached yet"
        self._supervisor = Supervisor()
        self._stopping = False
        self._publisher = Publisher(
            self._names,
            seals,
            self.usable,
            self._wants,
            in_flight=settings.in_flight,
            patience=settings.confirm,
        )
        self._nudging = Nudging(self._names, seals, clock or SystemClock())
        self._taking = Taking(self._names, seals, self._publisher, self._backoff, settings.largest)

    async def __aenter__(self) -> Self:
        # It tells of every cut connection several times, as an error; here that is told once.
        logging.getLogger("aiormq").setLevel(logging.CRITICAL)
        await self._supervisor.__aenter__()
        _ = self._supervisor.start("bus", self._keep())
        _ = self._supervisor.start("nudges", self._nudging.run())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            async with asyncio.timeout(_LEAVING):
                await self.leave(*self._consumers)
        except TimeoutError:
            _log.warning("handlers_abandoned", client=self._client)
        # The driver may swallow a cancellation that comes together with an answer of the broker.
        self._stopping = True
        self._attention()
        await self._supervisor.__aexit__(kind, error, trace)

    # ------------------------------------------------------------ the port

    def subscribe(
        self,
        name: str,
        types: Sequence[str],
        handler: Handler,
        *,
        at_once: int = 1,
        outside: bool = False,
    ) -> None:
        """See `Bus.subscribe`."""
        if name in self._consumers:
            raise ValueError(f"there is a subscription called {name} already")
        self._plan(QueuePlan(name, tuple(types), at_once == 1, outside))
        take = partial(self._taking.take, name, tuple(types), handler)
        self._consume(name, self._names.queue(name), take, at_once)

    def expect(self, name: str, types: Sequence[str], *, at_once: int = 1) -> None:
        """See `Bus.expect`."""
        if name not in self._plans:
            self._plan(QueuePlan(name, tuple(types), at_once == 1))

    async def leave(self, *names: str) -> None:
        """See `Bus.leave`."""
        await asyncio.gather(*(self._consumers[name].leave() for name in names))

    def keep_dead_letters(self, handler: DeadLetterHandler) -> None:
        """See `Bus.keep_dead_letters`."""
        bury = partial(self._taking.bury, handler)
        self._consume(DEAD_LETTERS, self._names.dead_letters, bury, 20)

    async def publish(self, events: Sequence[CloudEvent]) -> None:
        """See `Bus.publish`."""
        await self._publisher.publish(events)

    async def redeliver(self, subscription: str, event: CloudEvent) -> None:
        """See `Bus.redeliver`."""
        await self._publisher.redeliver(subscription, event)

    def nudge(self, topic: str, subject: str = "") -> None:
        """See `Bus.nudge`."""
        self._nudging.tell(topic, subject)

    def on_nudge(self, topic: str, handler: Callable[[str], None]) -> None:
        """See `Bus.on_nudge`."""
        self._nudging.hear(topic, handler)
        self._look_again()

    @property
    def reaches_others(self) -> bool:
        """See `Bus.reaches_others`."""
        return self._usable.is_set()

    async def check(self) -> None:
        """See `Bus.check`. Being cut off counts after some time only, a wrong topology at once."""
        session = self._session
        if session is not None and self._usable.is_set():
            try:
                async with asyncio.timeout(0.5):
                    await session.unblocked()
            except TimeoutError:
                raise Unavailable(
                    "the broker takes no messages: it is out of memory or disk"
                ) from None
            return
        if self._trouble is not None and time.monotonic() - self._troubled_since >= GRACE:
            raise Unavailable(self._trouble)

    # ------------------------------------------------------------ what is to be there

    def _plan(self, plan: QueuePlan) -> None:
        self._plans[plan.subscription] = plan
        self._look_again()

    def _consume(self, name: str, queue: str, take: Take, at_once: int) -> None:
        self._consumers[name] = Consumer(
            queue,
            take,
            at_once=at_once,
            supervisor=self._supervisor,
            attention=self._attention,
        )
        self._look_again()

    def _wants(self, event_type: str) -> bool:
        """Whether a queue must be there for events of *event_type*."""
        return any(
            matches(pattern, event_type)
            for plan in self._plans.values()
            if not plan.outside
            for pattern in plan.types
        )

    def _look_again(self) -> None:
        self._usable.clear()
        self._attention()

    def _attention(self) -> None:
        if self._session is not None:
            self._session.attention.set()

    async def usable(self) -> Session:
        """The session, once all that is to be there is there.

        Raises:
            Unavailable: that takes too long.
        """
        try:
            async with asyncio.timeout(self._settings.patience):
                while True:
                    await self._usable.wait()
                    session = self._session
                    if session is not None and not session.lost:
                        await session.unblocked()
                        return session
                    await asyncio.sleep(0)
        except TimeoutError:
            reason = self._trouble or "the broker takes no messages"
            raise Unavailable(reason, retry_after=1) from None

    # ------------------------------------------------------------ keeping it so

    async def _keep(self) -> None:
        failures = 0
        while not self._stopping:
            began = time.monotonic()
            try:
                async with opened(self._settings.url, self._names, self._client) as session:
                    await self._serve(session)
            except TopologyMismatch as exc:
                self._in_trouble(str(exc), at_once=True)
            except (SessionLost, *DRIVER_ERRORS, TimeoutError) as exc:
                self._in_trouble(f"the broker at {self._place} cannot be reached", why=exc)
            except asyncio.CancelledError:
                if not cancelled_by_driver():
                    raise
                self._in_trouble(f"the connection to {self._place} has ended")
            except Exception as exc:  # noqa: BLE001 -- logged, and a new connection may not meet it
                _log.exception("bus_failed", client=self._client)
                self._in_trouble("the bus failed", why=exc)
            finally:
                self._session = None
                self._usable.clear()
                _CONNECTED.child(self._client).set(0)
            if time.monotonic() - began > 2 * self._settings.watch:
                failures = 0
            failures += 1
            await asyncio.sleep(min(self._backoff.pause(failures), LONGEST_PAUSE))

    async def _serve(self, session: Session) -> None:
        """Keep *session* in the state that is wanted, until it is lost."""
        self._session = session
        _CONNECTS.child(self._client).inc()
        while not self._stopping:
            session.attention.clear()
            plans, consumers = list(self._plans.values()), list(self._consumers.values())
            await session.settle(plans, consumers, self._nudging)
            if session.attention.is_set():
                continue
            if not self._usable.is_set():
                self._usable.set()
                self._trouble = None
                _CONNECTED.child(self._client).set(1)
                _log.info("bus_usable", client=self._client, place=self._place)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._settings.watch):
                    await session.attention.wait()
            if session.lost:
                raise SessionLost("the connection has ended")
            await session.look(list(self._consumers.values()), self._nudging)

    def _in_trouble(
        self, what: str, *, at_once: bool = False, why: Exception | None = None
    ) -> None:
        if self._trouble is None:
            self._troubled_since = time.monotonic()
        if at_once:
            self._troubled_since = time.monotonic() - GRACE
        self._trouble = what
        _log.warning("bus_unusable", client=self._client, reason=what, cause=str(why or "")[:300])

    @property
    def _place(self) -> str:
        """The broker without who logs in there."""
        parts = urlsplit(self._settings.url)
        return f"{parts.hostname}:{parts.port or (5671 if parts.scheme == 'amqps' else 5672)}"
