"""A little service over raw bytes, for trying the plumbing over real sockets."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc

from chassis.clock import Clock, SystemClock
from chassis.discovery.static import StaticRegistry
from chassis.health import Health
from chassis.rpc.client import RpcClient
from chassis.rpc.credentials import ServiceIdentity, TokenVerifier
from chassis.rpc.decisions import Decisions, Lookup, Reading
from chassis.rpc.guards import Guard, ServiceOnly
from chassis.rpc.keys import KeySource
from chassis.rpc.server import RpcServer

NAME = "test.v1.Echo"
SAY = f"/{NAME}/Say"
WATCH = f"/{NAME}/Watch"
OPEN: dict[str, Guard] = {SAY: ServiceOnly(), WATCH: ServiceOnly()}

Say = Callable[[bytes], Awaitable[bytes]]
Watch = Callable[[bytes], AsyncGenerator[bytes, None]]


async def echo(request: bytes) -> bytes:
    """Say the same."""
    return request


async def count(request: bytes) -> AsyncGenerator[bytes, None]:
    """Count to the number in *request*."""
    for number in range(int(request)):
        yield str(number).encode()


@dataclass
class Echo:
    """The servicer; tests put their behaviour in."""

    say: Say = echo
    watch: Watch = count

    async def on_say(self, request: bytes, _context: object) -> bytes:
        """Unary."""
        return await self.say(request)

    async def on_watch(self, request: bytes, _context: object) -> AsyncGenerator[bytes, None]:
        """Server stream."""
        async for response in self.watch(request):
            yield response


def add_echo(servicer: Echo, server: Any) -> None:
    """What generated code calls add_…Servicer_to_server."""
    handlers: dict[str, Any] = {
        "Say": grpc.unary_unary_rpc_method_handler(servicer.on_say),
        "Watch": grpc.unary_stream_rpc_method_handler(servicer.on_watch),
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(NAME, handlers),))
    server.add_registered_method_handlers(NAME, handlers)


class EchoStub:
    """What generated code calls …Stub."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.say: Any = channel.unary_unary(SAY)
        self.watch: Any = channel.unary_stream(WATCH)


@dataclass
class World:
    """A folder of keys and a registry: where services meet."""

    keys_dir: Path
    registry: StaticRegistry = field(default_factory=StaticRegistry)
    clock: Clock = field(default_factory=SystemClock)

    def identity(self, service: str) -> ServiceIdentity:
        """The identity of *service*."""
        return ServiceIdentity.load_or_create(self.keys_dir, service, clock=self.clock)

    def server(
        self,
        servicer: object,
        guards: dict[str, Guard] | None = None,
        *,
        port: int = 0,
        keys: KeySource | None = None,
        health: Health | None = None,
        drain: float = 1.0,
        decisions: Decisions | None = None,
        readings: dict[str, Reading] | None = None,
        lookups: dict[str, Lookup] | None = None,
        outside: bool = False,
        add: Callable[[Any, Any], None] = add_echo,
    ) -> RpcServer:
        """A server of *servicer*, not started."""
        verifier = TokenVerifier("svc:echo", self.keys_dir, keys, clock=self.clock)
        server = RpcServer(
            service="echo",
            host="127.0.0.1",
            port=port,
            verifier=verifier,
            verifiers={NAME: verifier} if outside else None,
            guards=OPEN if guards is None else guards,
            health=health or Health(),
            drain=drain,
            decisions=decisions,
            readings=readings,
            lookups=lookups,
            clock=self.clock,
        )
        server.add(add, servicer)
        return server

    @asynccontextmanager
    async def serving(self, servicer: Echo, **options: Any) -> AsyncIterator[RpcServer]:
        """A started server that the registry knows."""
        async with self.server(servicer, **options) as server:
            await self.registry.register("echo", server.address)
            try:
                yield server
            finally:
                await self.registry.deregister("echo", server.address)

    @asynccontextmanager
    async def calling(self, caller: str = "gateway") -> AsyncIterator[tuple[RpcClient, EchoStub]]:
        """A client of the service and its stub."""
        async with RpcClient(
            self.registry, "echo", self.identity(caller), clock=self.clock
        ) as client:
            yield client, EchoStub(client.channel)
