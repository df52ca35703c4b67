"""The suite as operators run it at scale: many processes of each service, on real servers of one's own, each over its own wire."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple, Protocol
from urllib.parse import urlsplit

import aiohttp
import msgspec

from tests.chaos.processes import UNHURRIED, Process
from tests.cluster.views import ADVERTISED, seen_from, view
from tests.support import mongodb, rabbitmq
from tests.support.consul import consul_server
from tests.support.gateway_client import eventually
from tests.support.ports import free_port
from tests.support.redis import redis_server
from tests.support.servers import absent
from tests.support.tcp_proxy import TcpProxy

ADMIN: Final = "admin@autoworker.internal"
ADMIN_PASSWORD: Final = "Administrators-and-7-cups"
PATIENCE: Final = 240.0
"""Seconds that processes may take to start: ten of them at once, perhaps on a busy machine."""
_CALLS: Final = {
    "gateway": ("auth", "workflow", "notification"),
    "auth": ("notification",),
    "workflow": ("auth",),
    "notification": ("auth",),
}
"""Who calls whom."""
_MODULES: Final = {
    "gateway": "gateway",
    "auth": "auth_service",
    "workflow": "workflow_service",
    "notification": "notification_service",
}


class Breakable(Protocol):
    """A process that can be broken and mended: one of ours or a server."""

    def kill(self) -> None:
        """End it as a power cut would."""

    def start(self) -> None:
        """Start it again, on what it has stored."""

    def freeze(self) -> None:
        """Let it hold still."""

    def thaw(self) -> None:
        """Let it go on."""


@dataclass(frozen=True, slots=True)
class Servers:
    """The real servers, by what they are for."""

    bus: rabbitmq.Server
    cache: Breakable
    registry: Breakable
    store: mongodb.Server
    urls: Mapping[str, str]
    """Where each is, past every wire."""

    def named(self) -> dict[str, Breakable]:
        """Each by its name."""
        return {
            "RabbitMQ": self.bus,
            "Redis": self.cache,
            "Consul": self.registry,
            "MongoDB": self.store,
        }


@dataclass(slots=True)
class Member:
    """One process of ours, and the wires between it and everybody else."""

    service: str
    process: Process
    wires: dict[str, TcpProxy]
    """To each server, to each instance that it calls, such as auth-1, and "callers": from whoever calls it."""
    admin_port: int
    port: int
    """Where it serves: HTTP or gRPC."""

    @property
    def name(self) -> str:
        """Such as workflow-2."""
        return self.process.name

    @property
    def url(self) -> str:
        """Where a gateway is for its clients."""
        return f"http://127.0.0.1:{self.port}"


@dataclass(frozen=True, slots=True)
class Deployment:
    """All of it, running."""

    members: Sequence[Member]
    servers: Servers
    data: Path

    @property
    def gateways(self) -> list[str]:
        """Where clients may go."""
        return [member.url for member in self.of("gateway")]

    def of(self, *services: str) -> list[Member]:
        """The processes of *services*; of all without any."""
        return [each for each in self.members if not services or each.service in services]

    async def whole(self, deadline: float = PATIENCE) -> None:
        """Return once every process says that it can work, and the registry says so of every one, too."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=3.0)) as http:
            await eventually(lambda: self._is_whole(http), "the cluster becoming whole", deadline)

    async def _is_whole(self, http: aiohttp.ClientSession) -> bool:
        ready = [_is_ready(http, member) for member in self.members]
        known = [self._is_known(http, service) for service in _MODULES]
        return all(await asyncio.gather(*ready, *known))

    async def _is_known(self, http: aiohttp.ClientSession, service: str) -> bool:
        url = self.servers.urls["registry"].replace("consul:", "http:", 1)
        place = f"{url}/v1/health/service/autoworker-{service}?passing=1"
        try:
            async with http.get(place) as answer:
                found = msgspec.json.decode(await answer.read())
        except (aiohttp.ClientError, TimeoutError, msgspec.DecodeError):
            return False
        return len(found) == len(self.of(service))


async def _is_ready(http: aiohttp.ClientSession, member: Member) -> bool:
    try:
        async with http.get(f"http://127.0.0.1:{member.admin_port}/readyz") as answer:
            return answer.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False


@asynccontextmanager
async def deployed(
    folder: Path, counts: Mapping[str, int], **settings: str
) -> AsyncIterator[Deployment]:
    """So many processes of each service, until the block is left; with what they said, if that is by a failure."""
    async with AsyncExitStack() as stack:
        servers = await _servers(stack)
        members = [
            await _member(stack, each, servers, folder, settings) for each in _places(counts)
        ]
        await _pairs(stack, members)
        deployment = Deployment(members, servers, folder / "data")
        stack.push_async_callback(_ended, members)
        for member in members:
            member.process.start()
        await deployment.whole()
        yield deployment


async def _ended(members: Sequence[Member]) -> None:
    """All at once and beside this loop, which keeps the wires that they say goodbye over."""
    await asyncio.gather(*(asyncio.to_thread(member.process.stop) for member in members))


async def _servers(stack: AsyncExitStack) -> Servers:
    """All four, started side by side."""
    for binary, remedy in ((rabbitmq.BINARY, "make servers"), (mongodb.BINARY, "make setup")):
        if not binary.exists():
            absent(f"{binary.name} of one's own", remedy)
    cache = stack.enter_context(redis_server())
    registry = stack.enter_context(consul_server())
    store = mongodb.Server()
    stack.callback(store.remove)
    bus, _ = await asyncio.gather(
        asyncio.to_thread(rabbitmq.Server), asyncio.to_thread(store.start)
    )
    stack.callback(bus.end)
    urls = {"bus": bus.url, "cache": cache.url, "registry": registry.url, "store": store.url}
    return Servers(bus, cache, registry, store, urls)


class _Place(NamedTuple):
    """Which process."""

    caller: int
    """Among all of them."""
    service: str
    number: int
    """Among those of its service."""


def _places(counts: Mapping[str, int]) -> list[_Place]:
    every = [(service, at) for service, count in counts.items() for at in range(1, count + 1)]
    return [_Place(caller, *each) for caller, each in enumerate(every, 1)]


async def _pairs(stack: AsyncExitStack, members: Sequence[Member]) -> None:
    """A wire from each caller to each instance, where its view of the registry says that this is."""
    for caller, member in enumerate(members, 1):
        for other in members:
            if other.service in _CALLS[member.service]:
                port = other.port
                wire = TcpProxy(ADVERTISED, port, at=(seen_from(caller), port))
                member.wires[other.name] = await stack.enter_async_context(wire)


async def _member(
    stack: AsyncExitStack,
    place: _Place,
    servers: Servers,
    folder: Path,
    settings: Mapping[str, str],
) -> Member:
    caller, service, number = place
    seen = await stack.enter_async_context(view(servers.urls["registry"], caller))
    urls = {**servers.urls, "registry": seen}
    wires = {
        name: await stack.enter_async_context(_wire_to(urls[name]))
        for name in ("cache", "registry", *(() if service == "gateway" else ("bus", "store")))
    }
    port, admin_port = free_port(), free_port()
    wires["callers"] = await stack.enter_async_context(
        TcpProxy("127.0.0.1", port, at=(ADVERTISED, port))
    )
    here = "HTTP_PORT" if service == "gateway" else f"{service.upper()}_GRPC_PORT"
    chosen = {
        **UNHURRIED,
        "AUTOWORKER_ADMIN_PASSWORD": ADMIN_PASSWORD,
        "AUTOWORKER_ADVERTISED_HOST": ADVERTISED,
        f"AUTOWORKER_{here}": str(port),
        f"AUTOWORKER_{service.upper()}_ADMIN_PORT": str(admin_port),
        **{
            f"AUTOWORKER_{name.upper()}_URL": _through(urls[name], wire)
            for name, wire in wires.items()
            if name in urls
        },
        **settings,
    }
    process = Process(f"{service}-{number}", ("-m", _MODULES[service]), chosen, folder)
    return Member(service, process, wires, admin_port, port)


def _wire_to(url: str) -> TcpProxy:
    there = urlsplit(url)
    return TcpProxy(there.hostname or "", there.port or 0)


def _through(url: str, wire: TcpProxy) -> str:
    there = urlsplit(url)
    who = f"{there.username}:{there.password}@" if there.username else ""
    changed = there._replace(netloc=f"{who}127.0.0.1:{wire.port}")
    if there.scheme == "mongodb":
        # Else the driver would go where the server says that it is, past the wire.
        changed = changed._replace(path="/suite", query="directConnection=true")
    return changed.geturl()
