"""Puts the notification service together; nothing else knows all of its classes."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace

from chassis.admin import AdminServer
from chassis.audit.service import ServiceAudit
from chassis.clock import Clock, SystemClock
from chassis.discovery.port import Registry
from chassis.discovery.registering import registered
from chassis.health import Health
from chassis.ids import Ids, RandomIds
from chassis.lifecycle import Supervisor
from chassis.messaging.port import Bus
from chassis.policies.feed import followed
from chassis.rpc.client import RpcClient
from chassis.rpc.credentials import TokenVerifier, audience_of
from chassis.rpc.decisions import Decisions
from chassis.rpc.keys import KeySource, RemoteKeys
from chassis.rpc.neighbours import neighbour
from chassis.rpc.server import RpcServer
from chassis.telemetry.logging import get_logger
from notification_service.adapters.audit_sender import audit_sender
from notification_service.adapters.auth_keys import AuthKeys
from notification_service.adapters.chance import SystemChance
from notification_service.adapters.policy_feed import policy_feed
from notification_service.adapters.signals import OperatorSignals
from notification_service.application.app import Application
from notification_service.application.ports import Chance, Channel
from notification_service.bootstrap.stores import SERVICE, Store, keep, opened
from notification_service.bootstrap.use_cases import World, assemble
from notification_service.config import Settings
from notification_service.entrypoints import (
    dead_letter_api,
    event_consumer,
    grpc_api,
    mail_api,
)
from notification_service.entrypoints.delivery_worker import DeliveryWorker

_log = get_logger("notification_service")


@dataclass(frozen=True, slots=True)
class Running:
    """The service while it runs; addresses are host:port."""

    rpc_address: str
    admin_address: str
    app: Application


@asynccontextmanager
async def running(
    settings: Settings,
    *,
    registry: Registry,
    bus: Bus,
    clock: Clock | None = None,
    ids: Ids | None = None,
    chance: Chance | None = None,
    keys: KeySource | None = None,
    channel: Channel | None = None,
) -> AsyncIterator[Running]:
    """The notification service, started; leaving the block drains and stops it.

    Args:
        settings: what the operator decided.
        registry: where it says where it is, and finds auth_service.
        bus: brings events; subscriptions on it last until it stops.
        clock: the machine's by default.
        ids: random by default.
        chance: the operating system's by default.
        keys: verify users' tokens; those of auth_service by default.
        channel: sends e-mail; through `settings.mail.host` by default.

    Raises:
        chassis.errors.CannotStart: the store, the keys or a port cannot be used.
    """
    world = World(
        clock=clock or SystemClock(),
        ids=ids or RandomIds(),
        chance=chance or SystemChance(),
        signals=OperatorSignals(),
        registry=registry,
        bus=bus,
    )
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(opened(settings, world.ids))
        audited = ServiceAudit.of(SERVICE, store.database, clock=world.clock, ids=world.ids)
        world = replace(world, audit=audited.recorder)
        auth = await _auth(stack, settings, world) if keys is None else None
        supervisor = await stack.enter_async_context(Supervisor())
        audited.start(supervisor, audit_sender(auth) if auth else None)
        app = assemble(settings, store, world, channel)
        if auth is not None:
            keys = RemoteKeys(AuthKeys(auth).fetch, clock=world.clock)
        book = await _policies(stack, auth, world)
        health = Health(store=store.check, bus=bus.check)
        admin = await stack.enter_async_context(
            AdminServer(host=settings.admin_host, port=settings.admin_port, health=health)
        )
        rpc = await stack.enter_async_context(_server(settings, world, keys, book, health, app))
        _supervise(supervisor, settings, store, world, app)
        event_consumer.subscribe(bus, app)
        stack.push_async_callback(event_consumer.leave, bus)
        await stack.enter_async_context(registered(registry, SERVICE, rpc.address))
        yield Running(rpc.address, admin.address, app)


async def _auth(stack: AsyncExitStack, settings: Settings, world: World) -> RpcClient:
    return await stack.enter_async_context(
        neighbour(
            "auth",
            caller=SERVICE,
            registry=world.registry,
            keys_dir=settings.data_dir / "keys",
            clock=world.clock,
            ids=world.ids,
        )
    )


async def _policies(
    stack: AsyncExitStack, auth: RpcClient | None, world: World
) -> Decisions | None:
    """What policies say; who brings keys has none."""
    if auth is None:
        return None
    return await stack.enter_async_context(followed(policy_feed(auth), world.clock, world.audit))


def _server(
    settings: Settings,
    world: World,
    keys: KeySource | None,
    decisions: Decisions | None,
    health: Health,
    app: Application,
) -> RpcServer:
    verifier = TokenVerifier(
        audience_of(SERVICE), settings.data_dir / "keys", keys, clock=world.clock
    )
    server = RpcServer(
        service=SERVICE,
        host=settings.grpc_host,
        port=settings.grpc_port,
        verifier=verifier,
        guards={**grpc_api.GUARDS, **mail_api.GUARDS, **dead_letter_api.GUARDS},
        health=health,
        decisions=decisions,
        readings=grpc_api.READINGS,
        reflection=settings.insecure_dev,
        clock=world.clock,
        ids=world.ids,
        audit=world.audit,
    )
    for api in (grpc_api, mail_api, dead_letter_api):
        api.serve(server, app)
    return server


def _supervise(
    supervisor: Supervisor,
    settings: Settings,
    store: Store,
    world: World,
    app: Application,
) -> None:
    keep(store, supervisor)
    if app.commands.attempt_delivery is None:
        _log.info("no_mail_server", remedy="set AUTOWORKER_SMTP_URL and AUTOWORKER_SMTP_FROM")
        return
    worker = DeliveryWorker(
        store.queue,
        app.commands.attempt_delivery,
        supervisor=supervisor,
        clock=world.clock,
        signals=world.signals,
        concurrency=settings.mail.concurrency if settings.mail else 1,
    )
    _ = supervisor.start("notification-deliveries", worker.run())
