"""Puts the gateway together: the only file that knows every part of it."""

import asyncio
import errno
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from aiohttp import web

from chassis.admin import AdminServer
from chassis.caching.memory import MemoryLimits
from chassis.caching.port import Limits
from chassis.clock import Clock, SystemClock
from chassis.discovery.port import Registry
from chassis.errors import CannotStart
from chassis.health import Health
from chassis.ids import Ids, RandomIds
from chassis.lifecycle import Supervisor
from chassis.rpc.client import RpcClient
from chassis.rpc.credentials import ServiceIdentity
from chassis.rpc.keys import RemoteKeys
from chassis.telemetry.logging import get_logger
from gateway.adapters.auth_grpc import AuthOverGrpc
from gateway.adapters.functions_grpc import FunctionsOverGrpc
from gateway.adapters.gatekeeper import TokenGatekeeper
from gateway.adapters.neighbours import Neighbour
from gateway.adapters.notification_grpc import NotificationsOverGrpc
from gateway.adapters.revocations import RevocationFeed, Revocations
from gateway.adapters.workflow_grpc import WorkflowsOverGrpc
from gateway.config import NAMES, Settings
from gateway.ports import Auth, Functions, Gatekeeper, Notifications, Workflows
from gateway.routes import openapi
from gateway.routes.access_log import AccessLog
from gateway.routes.connection import Capacity, Patience, StrictServer
from gateway.routes.definitions import DefinitionRoutes
from gateway.routes.events import EventRoutes
from gateway.routes.executions import ExecutionRoutes
from gateway.routes.functions import FunctionRoutes
from gateway.routes.identity import IdentityRoutes
from gateway.routes.live import LiveRoutes
from gateway.routes.middleware import Pipeline, Surroundings
from gateway.routes.notifications import NotificationRoutes
from gateway.routes.rates import Rates
from gateway.routes.route import Route
from gateway.routes.router import Router
from gateway.routes.sse import Streams
from gateway.routes.system import SystemRoutes

BACKLOG = 1024
_log = get_logger("gateway")


@dataclass(frozen=True, slots=True)
class Running:
    """Where the gateway can be reached."""

    http_address: str
    """``http://127.0.0.1:8080``"""
    admin_address: str
    """``127.0.0.1:9100``"""


@dataclass(frozen=True, slots=True)
class _Parts:
    """What routes are made of."""

    auth: Auth
    gatekeeper: Gatekeeper
    workflows: Workflows
    functions: Functions
    notifications: Notifications
    streams: Streams
    health: Health


@asynccontextmanager
async def running(
    settings: Settings,
    *,
    registry: Registry,
    limits: Limits | None = None,
    clock: Clock | None = None,
    ids: Ids | None = None,
) -> AsyncIterator[Running]:
    """The gateway, serving until the block is left; then it drains.

    Args:
        settings: all that can be set.
        registry: knows where the services are.
        limits: counts for the rate limits; None counts in this process.
        clock: what time is measured with.
        ids: names requests that come without an id.

    Raises:
        CannotStart: the port is taken, or a route is incomplete.
    """
    clock, ids = clock or SystemClock(), ids or RandomIds()
    async with AsyncExitStack() as stack:
        identity = ServiceIdentity.load_or_create(
            settings.keys_dir, "gateway", clock=clock, ids=ids
        )
        clients = {
            name: await stack.enter_async_context(
                RpcClient(registry, name, identity, clock=clock, ids=ids)
            )
            for name in NAMES
        }
        # After the clients, so that what uses them stops before they do.
        supervisor = await stack.enter_async_context(Supervisor(deadline=settings.drain_timeout))
        parts = _parts(clients, supervisor, settings, clock)
        router = Router(_routes(parts))
        surroundings = Surroundings(
            router=router,
            gatekeeper=parts.gatekeeper,
            rates=_rates(settings, limits or MemoryLimits(clock)),
            supervisor=supervisor,
            access_log=_access_log(settings),
            clock=clock,
            ids=ids,
            proxies=settings.trusted_proxies,
            origins=settings.cors_origins,
            max_body=settings.max_body,
        )
        _ = supervisor.start("access log", surroundings.access_log.run())
        admin = await stack.enter_async_context(
            AdminServer(host=settings.admin_host, port=settings.admin_port, health=parts.health)
        )
        address = await _serve(stack, settings, surroundings, parts)
        await registry.register("gateway", address)
        stack.push_async_callback(registry.deregister, "gateway", address)
        _log.info("gateway_listening", address=f"http://{address}")
        yield Running(f"http://{address}", admin.address)


def _parts(
    clients: Mapping[str, RpcClient], supervisor: Supervisor, settings: Settings, clock: Clock
) -> _Parts:
    health = Health()
    for name, client in clients.items():
        health.add(name, Neighbour(client, clock))
    streams = Streams(supervisor, heartbeat=settings.heartbeat)
    auth = AuthOverGrpc(clients["auth"])
    revocations = Revocations(clock, streams.end_session)
    _ = supervisor.start("revocation feed", RevocationFeed(clients["auth"], revocations).run())
    keys = RemoteKeys(auth.public_keys, clock=clock)
    return _Parts(
        auth=auth,
        gatekeeper=TokenGatekeeper(clients["auth"], keys, revocations, supervisor, clock),
        workflows=WorkflowsOverGrpc(clients["workflow"]),
        functions=FunctionsOverGrpc(clients["workflow"]),
        notifications=NotificationsOverGrpc(clients["notification"]),
        streams=streams,
        health=health,
    )


def _routes(parts: _Parts) -> list[Route]:
    routes: list[Route] = []

    def declared() -> Iterator[Route]:
        yield from IdentityRoutes(parts.auth, parts.gatekeeper).routes()
        yield from DefinitionRoutes(parts.workflows).routes()
        yield from ExecutionRoutes(parts.workflows).routes()
        yield from LiveRoutes(parts.workflows, parts.streams).routes()
        yield from EventRoutes(parts.workflows).routes()
        yield from FunctionRoutes(parts.functions).routes()
        yield from NotificationRoutes(parts.notifications, parts.streams).routes()
        yield from SystemRoutes(
            parts.health, lambda: openapi.document(routes, version=_version())
        ).routes()

    routes.extend(declared())
    return routes


def _rates(settings: Settings, limits: Limits) -> Rates:
    return Rates(
        limits,
        principal=settings.principal_rate,
        address=settings.address_rate,
        auth=settings.auth_rate,
    )


def _access_log(settings: Settings) -> AccessLog:
    # On a terminal people read; where nobody sits in front, lines are collected.
    wanted = settings.access_log == "on" or (
        settings.access_log == "auto" and not sys.stdout.isatty()
    )
    return AccessLog(_to_stdout if wanted else None)


def _to_stdout(lines: bytes) -> None:
    sys.stdout.write(lines.decode())
    sys.stdout.flush()


async def _serve(
    stack: AsyncExitStack,
    settings: Settings,
    surroundings: Surroundings,
    parts: _Parts,
) -> str:
    """Listen; ``host:port``. What is pushed on *stack* drains, in reverse order."""
    pipeline = Pipeline(surroundings)
    server = StrictServer(
        pipeline,
        pipeline,
        clock=surroundings.clock,
        patience=Patience(
            head=settings.head_timeout,
            body=settings.body_timeout,
            read=settings.read_timeout,
            idle=settings.idle_timeout,
        ),
        capacity=Capacity(
            settings.max_connections,
            settings.max_connections_per_address,
            settings.trusted_proxies,
        ),
        handler_cancellation=True,
    )
    runner = web.ServerRunner(server, shutdown_timeout=settings.drain_timeout)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    site = web.TCPSite(runner, settings.http_host, settings.http_port, backlog=BACKLOG)
    try:
        await site.start()
    except OSError as exc:
        raise CannotStart(_cannot_listen(settings, exc)) from exc
    _ = surroundings.supervisor.start(
        "connection watch", server.watch(min(1.0, settings.head_timeout / 4))
    )
    stack.callback(parts.streams.drain)
    stack.push_async_callback(_drain, parts.health, settings)
    host, port = runner.addresses[0][:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


async def _drain(health: Health, settings: Settings) -> None:
    """Say that we are leaving, and give load balancers the time to hear it."""
    health.drain()
    if settings.drain_delay:
        _log.info("draining", seconds=settings.drain_delay)
        await asyncio.sleep(settings.drain_delay)


def _cannot_listen(settings: Settings, exc: OSError) -> str:
    place = f"Port {settings.http_port} on {settings.http_host}"
    if exc.errno == errno.EADDRINUSE:
        return f"{place} is taken by another program; set AUTOWORKER_HTTP_PORT to a free one"
    if exc.errno == errno.EACCES:
        return f"{place} may not be used by this user; set AUTOWORKER_HTTP_PORT to one above 1023"
    return f"{place} cannot be listened on; check AUTOWORKER_HTTP_HOST and AUTOWORKER_HTTP_PORT"


def _version() -> str:
    try:
        return version("autoworker")
    except PackageNotFoundError:
        return "0.1.0"
