"""Puts the gateway together; `gateway.bootstrap.groups` lists what it offers."""

import asyncio
import errno
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from chassis.admin import AdminServer
from chassis.audit.outbox import DirectSink
from chassis.audit.recorder import Recorder
from chassis.caching.opening import limits_at
from chassis.caching.port import Limits
from chassis.clock import Clock, SystemClock
from chassis.discovery.port import Registry
from chassis.discovery.registering import registered
from chassis.errors import CannotStart
from chassis.health import Health
from chassis.ids import Ids, RandomIds
from chassis.lifecycle import Supervisor
from chassis.rpc.client import RpcClient
from chassis.rpc.credentials import ServiceIdentity
from chassis.rpc.keys import RemoteKeys
from chassis.telemetry.logging import get_logger
from gateway.adapters.audit_sender import audit_sender
from gateway.adapters.auth_grpc import AuthOverGrpc
from gateway.adapters.exchanges import Exchanges
from gateway.adapters.gatekeeper import TokenGatekeeper
from gateway.adapters.key_gatekeeper import ExchangingKeyGatekeeper
from gateway.adapters.key_uses import CountedKeyUses
from gateway.adapters.neighbours import Neighbour
from gateway.adapters.revocations import RevocationFeed, Revocations
from gateway.bootstrap.groups import Parts, every_route
from gateway.config import NAMES, Settings
from gateway.routes.access_log import AccessLog
from gateway.routes.address import AddressRules
from gateway.routes.admission import Admission
from gateway.routes.connection import Capacity, Patience, StrictServer
from gateway.routes.middleware import Pipeline, Surroundings
from gateway.routes.public_address import PublicAddress
from gateway.routes.rates import Rates
from gateway.routes.router import Router
from gateway.routes.sse import Streams

BACKLOG = 1024
_log = get_logger("gateway")


@dataclass(frozen=True, slots=True)
class Running:
    """Where the gateway can be reached."""

    http_address: str
    """``http://127.0.0.1:8080``"""
    admin_address: str
    """``127.0.0.1:9100``"""


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
        limits: counts for the rate limits; None counts where the settings say.
        clock: what time is measured with.
        ids: names requests that come without an id.

    Raises:
        CannotStart: the port is taken, or a route is incomplete.
    """
    async with AsyncExitStack() as stack:
        base = await _base(stack, settings, registry, limits, clock or SystemClock(), ids)
        parts = _parts(base)
        surroundings = _surroundings(base, parts)
        admin = await stack.enter_async_context(
            AdminServer(host=settings.admin_host, port=settings.admin_port, health=parts.health)
        )
        address = await _serve(stack, settings, surroundings, parts)
        await stack.enter_async_context(registered(registry, "gateway", address))
        _log.info("gateway_listening", address=f"http://{address}")
        yield Running(f"http://{address}", admin.address)


@dataclass(frozen=True, slots=True)
class _Base:
    """What everything else stands on, entered in the order in which it must outlive the rest."""

    settings: Settings
    clock: Clock
    ids: Ids
    limits: Limits
    clients: Mapping[str, RpcClient]
    uses: CountedKeyUses
    supervisor: Supervisor
    audit: Recorder


async def _base(
    stack: AsyncExitStack,
    settings: Settings,
    registry: Registry,
    limits: Limits | None,
    clock: Clock,
    ids: Ids | None,
) -> _Base:
    ids = ids or RandomIds()
    identity = ServiceIdentity.load_or_create(settings.keys_dir, "gateway", clock=clock, ids=ids)
    if limits is None:
        limits = await stack.enter_async_context(limits_at(settings.backends.cache_url, clock))
    clients = {
        name: await stack.enter_async_context(
            _client(registry, name, identity, settings, clock, ids)
        )
        for name in NAMES
    }
    # After the clients, so that what uses them stops before they do.
    uses = CountedKeyUses(clients["auth"], clock, ids)
    stack.push_async_callback(uses.finish)
    supervisor = await stack.enter_async_context(Supervisor(deadline=settings.drain_timeout))
    audit = Recorder("gateway", DirectSink(audit_sender(clients["auth"])), clock=clock, ids=ids)
    _ = supervisor.start("audit", audit.run())
    _ = supervisor.start("uses of API keys", uses.run())
    return _Base(settings, clock, ids, limits, clients, uses, supervisor, audit)


def _surroundings(base: _Base, parts: Parts) -> Surroundings:
    settings = base.settings
    admission = Admission(
        gatekeeper=parts.gatekeeper,
        keys=parts.key_gatekeeper,
        uses=base.uses,
        rates=_rates(settings, base.limits),
        addresses=AddressRules(settings.ip_allow, settings.ip_deny),
    )
    access_log = _access_log(settings)
    _ = base.supervisor.start("access log", access_log.run())
    return Surroundings(
        router=Router(every_route(parts)),
        admission=admission,
        supervisor=base.supervisor,
        access_log=access_log,
        clock=base.clock,
        ids=base.ids,
        audit=base.audit,
        proxies=settings.trusted_proxies,
        origins=settings.cors_origins,
        max_body=settings.max_body,
    )


def _client(
    registry: Registry,
    name: str,
    identity: ServiceIdentity,
    settings: Settings,
    clock: Clock,
    ids: Ids,
) -> RpcClient:
    return RpcClient(
        registry,
        name,
        identity,
        clock=clock,
        ids=ids,
        balance=settings.balance,
        hedge_after=settings.hedge_reads or None,
    )


def _parts(base: _Base) -> Parts:
    clients, supervisor, clock = base.clients, base.supervisor, base.clock
    health = Health(**{name: Neighbour(client, clock) for name, client in clients.items()})
    streams = Streams(supervisor, heartbeat=base.settings.heartbeat)
    auth = clients["auth"]
    revocations = Revocations(clock, streams.revoke)
    _ = supervisor.start("revocation feed", RevocationFeed(auth, revocations).run())
    keys = RemoteKeys(AuthOverGrpc(auth).access_keys, clock=clock)
    exchanges = Exchanges(revocations, supervisor, clock)
    return Parts(
        auth=auth,
        workflow=clients["workflow"],
        notification=clients["notification"],
        gatekeeper=TokenGatekeeper(auth, keys, revocations, exchanges, clock),
        key_gatekeeper=ExchangingKeyGatekeeper(auth, exchanges),
        streams=streams,
        health=health,
        address=PublicAddress(base.settings.public_url),
    )


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
    parts: Parts,
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
    parts.address.listening(host, port)
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
