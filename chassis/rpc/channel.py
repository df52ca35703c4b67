"""A gRPC channel to a service by name, wherever its instances are at the moment.

gRPC ties a channel to a target, and a stub to a channel. What a stub gets here is a channel that
looks up the service's addresses when it is used, keeps one real channel for each, takes them in
turn, and looks again after some seconds or when none answered.
"""

import asyncio
import itertools
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import grpc

from chassis.clock import Clock
from chassis.discovery.port import Registry
from chassis.errors import Unavailable
from chassis.rpc.transport import CLIENT_OPTIONS

LOOK_AGAIN = 10.0
"""Seconds for which addresses count."""

Serializer = Callable[[Any], bytes] | None
Deserializer = Callable[[bytes], Any] | None


class Bind(Protocol):
    """Makes a method of a real channel."""

    def __call__(self, channel: grpc.aio.Channel, /) -> Any: ...


class Method:
    """A method of a service, to be called on one of its instances."""

    def __init__(self, owner: "ServiceChannel", bind: Bind) -> None:
        self._owner = owner
        self._bind = bind
        self._bound: dict[grpc.aio.Channel, Any] = {}

    async def pick(self) -> Any:
        """The method on the instance whose turn it is.

        Raises:
            Unavailable: the service is nowhere.
        """
        channel = await self._owner.pick()
        bound = self._bound.get(channel)
        if bound is None:
            self._bound = {
                known: each for known, each in self._bound.items() if self._owner.uses(known)
            }
            bound = self._bound[channel] = self._bind(channel)
        return bound


class ServiceChannel:
    """What generated stubs take for a channel. Made, used and closed in one event loop."""

    def __init__(self, registry: Registry, service: str, clock: Clock) -> None:
        self._registry = registry
        self._service = service
        self._clock = clock
        self._channels: dict[str, grpc.aio.Channel] = {}
        self._turns = itertools.count()
        self._order: Sequence[grpc.aio.Channel] = ()
        self._looked = float("-inf")
        self._lock = asyncio.Lock()
        self._closing: set[asyncio.Task[None]] = set()

    def unary_unary(
        self,
        method: str,
        request_serializer: Serializer = None,
        response_deserializer: Deserializer = None,
        **_: Any,
    ) -> Method:
        """A method with one response."""
        return Method(
            self,
            lambda channel: channel.unary_unary(method, request_serializer, response_deserializer),
        )

    def unary_stream(
        self,
        method: str,
        request_serializer: Serializer = None,
        response_deserializer: Deserializer = None,
        **_: Any,
    ) -> Method:
        """A method with a stream of responses."""
        return Method(
            self,
            lambda channel: channel.unary_stream(method, request_serializer, response_deserializer),
        )

    async def pick(self) -> grpc.aio.Channel:
        """The channel whose turn it is.

        Raises:
            Unavailable: the service has no address.
        """
        if self._clock.monotonic() - self._looked >= LOOK_AGAIN:
            async with self._lock:
                if self._clock.monotonic() - self._looked >= LOOK_AGAIN:
                    await self._look()
        if not self._order:
            raise Unavailable(f"{self._service} cannot be reached", retry_after=1)
        return self._order[next(self._turns) % len(self._order)]

    def uses(self, channel: grpc.aio.Channel) -> bool:
        """Whether *channel* leads to a current address."""
        return channel in self._channels.values()

    def doubt(self) -> None:
        """Look addresses up again before the next call: the last one reached nobody."""
        self._looked = float("-inf")

    async def close(self) -> None:
        """Close every connection at once."""
        channels, self._channels, self._order = self._channels, {}, ()
        await asyncio.gather(*self._closing, *(each.close() for each in channels.values()))

    async def _look(self) -> None:
        addresses = await self._registry.resolve(self._service)
        for address in addresses:
            if address not in self._channels:
                self._channels[address] = grpc.aio.insecure_channel(address, options=CLIENT_OPTIONS)
        for address in self._channels.keys() - set(addresses):
            self._retire(self._channels.pop(address))
        self._order = tuple(self._channels.values())
        # Nothing found is not remembered: the service may be just about to start.
        self._looked = self._clock.monotonic() if self._order else float("-inf")

    def _retire(self, channel: grpc.aio.Channel) -> None:
        """Close *channel* once its calls have ended, or after some time."""
        closing = asyncio.get_running_loop().create_task(channel.close(grace=30.0))
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)
