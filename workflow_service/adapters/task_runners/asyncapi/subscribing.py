"""Performs the receiving half of ``call: asyncapi``: waits for the next messages of a subscription.

A subscription asks again and again, so its connection stays open between two questions, for a while. A message is
acknowledged when it is handed out, which is before the execution has recorded it: a crash in that moment loses it. One that was
not handed out stays with the broker. After a crash, and after a pause that is too long, a subscription begins anew: what a queue
keeps is not lost by that, what nobody keeps is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Protocol, TypeAlias

import msgspec

from chassis.clock import Clock
from chassis.telemetry import metrics
from chassis.telemetry.logging import get_logger
from workflow_service.adapters.authentication import AuthenticatedEgress
from workflow_service.adapters.egress import EgressClient, EgressError
from workflow_service.adapters.task_runners.asyncapi.documents import Destination
from workflow_service.adapters.task_runners.asyncapi.library import Library
from workflow_service.adapters.task_runners.asyncapi.references import AsyncApiInvalid
from workflow_service.adapters.task_runners.asyncapi.sources import (
    Came,
    Opened,
    from_queue,
    from_socket,
)
from workflow_service.adapters.task_runners.outcomes import outcome_of
from workflow_service.domain.bounds import beyond
from workflow_service.domain.execution.effects import AsyncApiReceive, Effect, Outcome
from workflow_service.domain.execution.problem import Raised, configuration, runtime
from workflow_service.domain.expressions import JsonValue

_log = get_logger("workflow_service.subscriptions")

_SUBSCRIPTIONS: Final = metrics.gauge(
    "workflow_channel_subscriptions",
    "Subscriptions to AsyncAPI channels that have a connection, by protocol.",
    ["protocol"],
)
_IDLE: Final = 30.0
"""Seconds for which a connection stays open that nobody asks."""


class Start(Protocol):
    """Runs work beside everything else, until the service stops."""

    def __call__(self, name: str, work: Any, /) -> asyncio.Task[None]:
        """Begin *work*."""
        ...


@dataclass(frozen=True, slots=True)
class Subscriptions:
    """What subscriptions may take, and what runs them."""

    start: Start
    clock: Clock
    """By which executions live."""
    most: int = 200
    """At the same time, in this process."""
    bytes: int = 1024 * 1024
    """Of one message."""
    idle: float = _IDLE


_Key: TypeAlias = tuple[str, bytes]
"""A subscription, and what it is to: a task that begins again may mean something else."""
_Failure: TypeAlias = EgressError | Raised


class _Connection:
    """One subscription's messages as they come; they wait here, in bounded number, until they are asked for."""

    def __init__(self, protocol: str, opened: Opened, start: Start, ahead: int) -> None:
        self.protocol = protocol
        self._came: asyncio.Queue[Came | _Failure] = asyncio.Queue(maxsize=ahead)
        self._task = start("subscription", self._run(opened))
        self._idle: asyncio.TimerHandle | None = None

    async def take(self, most: int, seconds: float | None) -> list[JsonValue]:
        """Wait for a message, so many *seconds* at the most; take what has come besides, up to *most* in all.

        Raises:
            EgressError: the channel cannot be reached any more.
            Raised: it refuses.
        """
        self._in_use()
        found = await self._first(seconds)
        while 0 < len(found) < most and not self._came.empty():
            found.append(_message(self._came.get_nowait()))
        for came in found:
            await came.taken()
        return [came.message for came in found]

    async def _first(self, seconds: float | None) -> list[Came]:
        """Wait for one message; when the service stops meanwhile this is cancelled, and nothing is recorded."""
        getting = asyncio.get_running_loop().create_task(self._came.get())
        try:
            wanted = asyncio.FIRST_COMPLETED
            _ = await asyncio.wait((getting, self._task), timeout=seconds, return_when=wanted)
            if getting.done():
                return [_message(getting.result())]
            if self._task.done():
                raise asyncio.CancelledError
            return []
        finally:
            _ = getting.cancel()

    def rest(self, seconds: float, close: Callable[[], None]) -> None:
        """Call *close* unless messages are asked for again within so many *seconds*."""
        self._idle = asyncio.get_running_loop().call_later(seconds, close)

    def close(self) -> None:
        """Ask nothing of it any more."""
        self._in_use()
        _ = self._task.cancel()

    def _in_use(self) -> None:
        if self._idle is not None:
            self._idle.cancel()

    async def _run(self, opened: Opened) -> None:
        try:
            async with opened as source:
                while True:
                    await self._came.put(await source.next())
        except (EgressError, Raised) as failure:
            await self._came.put(failure)
        except Exception:  # noqa: BLE001 - a broken driver must not leave the execution waiting for ever
            _log.exception("subscription_failed")
            await self._came.put(Raised(runtime("the subscription broke; the log says why")))


def _message(came: Came | _Failure) -> Came:
    if isinstance(came, Came):
        return came
    raise came


class Subscriber:
    """The ``Runner`` port for messages that are waited for."""

    def __init__(
        self,
        egress: EgressClient,
        authentication: AuthenticatedEgress,
        library: Library,
        subscriptions: Subscriptions,
    ) -> None:
        self._egress = egress
        self._authentication = authentication
        self._library = library
        self._limits = subscriptions
        self._open: dict[_Key, _Connection] = {}

    def __len__(self) -> int:
        """How many subscriptions have a connection."""
        return len(self._open)

    async def perform(self, execution: str, effect: Effect) -> Outcome:
        """Perform *effect* and say how it ended."""
        call = effect.call
        if not isinstance(call, AsyncApiReceive):
            raise TypeError(f"{type(call).__name__} is not performed here")
        return await outcome_of(self._received(effect, call))

    async def _received(self, effect: Effect, call: AsyncApiReceive) -> JsonValue:
        key = call.subscription, msgspec.json.encode(call.target)
        connection = self._open.get(key)
        if connection is None:
            connection = await self._connect(effect, call, key)
        try:
            messages = await connection.take(call.most, self._seconds(call))
        except BaseException:
            self._close(key)
            raise
        if not messages or (call.enough and len(messages) == call.most):
            self._close(key)
        else:
            connection.rest(self._limits.idle, partial(self._close, key))
        return messages

    def _seconds(self, call: AsyncApiReceive) -> float | None:
        if call.until is None:
            return None
        return max(0.0, (call.until - self._limits.clock.now()).total_seconds())

    async def _connect(self, effect: Effect, call: AsyncApiReceive, key: _Key) -> _Connection:
        if len(self._open) >= self._limits.most:
            told = f"there are {self._limits.most} subscriptions to channels already"
            raise Raised(runtime(beyond(told, "channel_subscriptions")))
        try:
            target = call.target
            place = await self._library.destination(target, "subscribe", tenant=effect.tenant)
            opened = await self._opened(effect, call, place)
        except AsyncApiInvalid as exc:
            raise Raised(configuration(str(exc))) from exc
        connection = _Connection(place.protocol, opened, self._limits.start, call.most)
        self._open[key] = connection
        _SUBSCRIPTIONS.child(place.protocol).inc()
        return connection

    async def _opened(self, effect: Effect, call: AsyncApiReceive, place: Destination) -> Opened:
        credentials = call.target.credentials
        match place.protocol:
            case "amqp":
                most, limit = call.most, self._limits.bytes
                doors = self._egress.doors
                return from_queue(doors, place, credentials, ahead=most, limit=limit)
            case "ws":
                headers: dict[str, str] = {}
                if credentials is not None:
                    headers = await self._authentication.headers(credentials, tenant=effect.tenant)
                return from_socket(self._egress.sockets, place, headers)
            case "http":
                told = (
                    "AsyncAPI does not say how messages come over HTTP: subscribe with amqp or ws"
                )
                raise AsyncApiInvalid(told)

    def _close(self, key: _Key) -> None:
        connection = self._open.pop(key, None)
        if connection is not None:
            _SUBSCRIPTIONS.child(connection.protocol).dec()
            connection.close()
