"""A gRPC channel to a service by name, wherever its instances are at the moment.

gRPC ties a channel to a target, and a stub to a channel. What a stub gets here is a channel that
looks up the service's addresses when it is used, keeps one real channel for each, and looks again
every second: registries answer from memory.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from typing import Any, Protocol

import grpc

from chassis.clock import Clock
from chassis.discovery.port import Registry
from chassis.errors import Unavailable
from chassis.rpc.balancing import Balance, Balancer
from chassis.rpc.instances import Instance, Turn
from chassis.rpc.probing import Probes
from chassis.rpc.transport import CLIENT_OPTIONS
from chassis.telemetry import metrics
from chassis.telemetry.logging import get_logger

LOOK_AGAIN = 1.0
"""Seconds for which addresses count."""

_log = get_logger("chassis.rpc")
_LEFT_OUT = metrics.counter(
    "rpc_instances_left_out_total", "Times an instance was left out for failing.", ["service"]
)

Serializer = Callable[[Any], bytes] | None
Deserializer = Callable[[bytes], Any] | None


class Bind(Protocol):
    """Makes a method of a real channel."""

    def __call__(self, channel: grpc.aio.Channel, /) -> Any: ...


class Method:
    """A method of a service, to be called on one of its instances."""

    def __init__(self, owner: "ServiceChannel", path: str, bind: Bind) -> None:
        self.path = path
        self._owner = owner
        self._bind = bind
        self._bound: dict[Instance, Any] = {}

    async def pick(
        self, *, affinity: str | None = None, avoid: Collection[Instance] = ()
    ) -> tuple[Instance, Any]:
        """The instance whose turn it is, and the method there; see `Balancer.choose`.

        Raises:
            Unavailable: the service is nowhere.
        """
        instance = await self._owner.pick(affinity=affinity, avoid=avoid)
        bound = self._bound.get(instance)
        if bound is None:
            self._bound = {
                known: each for known, each in self._bound.items() if self._owner.uses(known)
            }
            bound = self._bound[instance] = self._bind(instance.channel)
        return instance, bound


class ServiceChannel:
    """What generated stubs take for a channel. Made, used and closed in one event loop."""

    def __init__(
        self, registry: Registry, service: str, clock: Clock, balance: Balance = Balance.ROUND_ROBIN
    ) -> None:
        self._registry = registry
        self._service = service
        self._clock = clock
        self._balancer = Balancer(balance)
        self._instances: dict[str, Instance] = {}
        self._order: Sequence[Instance] = ()
        self._looked = float("-inf")
        self._lock = asyncio.Lock()
        self._closing: set[asyncio.Task[None]] = set()
        self._probes = Probes(clock, self._turned)

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
            method,
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
            method,
            lambda channel: channel.unary_stream(method, request_serializer, response_deserializer),
        )

    async def pick(
        self, *, affinity: str | None = None, avoid: Collection[Instance] = ()
    ) -> Instance:
        """The instance whose turn it is; see `Balancer.choose`.

        Raises:
            Unavailable: the service has no address.
        """
        now = self._clock.monotonic()
        if now - self._looked >= LOOK_AGAIN:
            await self._look_once()
        if not self._order:
            raise Unavailable(f"{self._service} cannot be reached", retry_after=1)
        if len(self._order) > 1:
            self._probes.look(self._order, now)
        return self._balancer.choose(self._order, affinity=affinity, avoid=avoid)

    def uses(self, instance: Instance) -> bool:
        """Whether *instance* is a current one."""
        return self._instances.get(instance.address) is instance

    def begun(self, instance: Instance) -> None:
        """A call goes to *instance*; see `Instance.begin`."""
        instance.begin(self._clock.monotonic())

    def heard(self, instance: Instance) -> None:
        """A stream that *instance* was picked for says something; see `Instance.heard`."""
        turn = instance.heard(self._clock.monotonic())
        if turn is not None:
            self._turned(instance, turn)

    def ended(self, instance: Instance, *, answered: bool | None) -> None:
        """A call that *instance* was picked for has ended; see `Instance.end`."""
        turn = instance.end(answered=answered, now=self._clock.monotonic())
        if turn is not None:
            self._turned(instance, turn)

    async def has_others(self) -> bool:
        """Whether there is more than one instance."""
        if not self._order:
            await self._look_once()
        return len(self._order) > 1

    def doubt(self) -> None:
        """Look addresses up again before the next call: the last one reached nobody."""
        self._looked = float("-inf")

    async def close(self) -> None:
        """Close every connection at once."""
        instances, self._instances, self._order = self._instances, {}, ()
        await self._probes.close()
        await asyncio.gather(*self._closing, *(each.channel.close() for each in instances.values()))

    def _turned(self, instance: Instance, turn: Turn) -> None:
        if turn is Turn.BACK:
            _log.info("instance_back", service=self._service, address=instance.address)
            return
        _LEFT_OUT.child(self._service).inc()
        _log.warning("instance_left_out", service=self._service, address=instance.address)

    async def _look_once(self) -> None:
        async with self._lock:
            if self._clock.monotonic() - self._looked >= LOOK_AGAIN:
                await self._look()

    async def _look(self) -> None:
        try:
            addresses = await self._registry.resolve(self._service)
        except Unavailable:
            if not self._order:
                raise
            addresses = tuple(self._instances)  # those that were known last
        for address in addresses:
            if address not in self._instances:
                channel = grpc.aio.insecure_channel(address, options=CLIENT_OPTIONS)
                self._instances[address] = Instance(address, channel)
        for address in self._instances.keys() - set(addresses):
            _log.info("instance_gone", service=self._service, address=address)
            self._retire(self._instances.pop(address).channel)
        self._order = tuple(self._instances.values())
        # Nothing found is not remembered: the service may be just about to start.
        self._looked = self._clock.monotonic() if self._order else float("-inf")

    def _retire(self, channel: grpc.aio.Channel) -> None:
        """Close *channel* once its calls have ended, or after some time."""
        closing = asyncio.get_running_loop().create_task(channel.close(grace=30.0))
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)
