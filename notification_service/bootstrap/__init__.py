"""Puts the notification service together; nothing else knows all of its classes."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace

from chassis.admin import AdminServer
from chassis.audit import SettlingAudit, SilentAudit
from chassis.audit.service import ServiceAudit
from chassis.clock import Clock, SystemClock
from chassis.crypto.key_file import load_or_create
from chassis.crypto.safe import Safe
from chassis.discovery.port import Registry
from chassis.handlers import wrap
from chassis.health import Health
from chassis.ids import Ids, RandomIds
from chassis.lifecycle import Supervisor
from chassis.messaging.port import Bus
from chassis.policies.feed import followed
from chassis.rpc.client import RpcClient
from chassis.rpc.credentials import ServiceIdentity, TokenVerifier, audience_of
from chassis.rpc.decisions import Decisions
from chassis.rpc.keys import KeySource, RemoteKeys
from chassis.rpc.server import RpcServer
from chassis.telemetry.logging import get_logger
from notification_service.adapters.audit_sender import audit_sender
from notification_service.adapters.auth_keys import AuthKeys
from notification_service.adapters.chance import SystemChance
from notification_service.adapters.policy_feed import policy_feed
from notification_service.adapters.signals import OperatorSignals
from notification_service.application.app import Application, Commands, Queries
from notification_service.application.commands.attempt_delivery import AttemptDeliveryHandler
from notification_service.application.commands.erase_user import EraseUserHandler
from notification_service.application.commands.mark_read import MarkReadHandler
from notification_service.application.commands.notify_account_fact import (
    NotifyAccountFactHandler,
)
from notification_service.application.commands.notify_execution_ended import (
    NotifyExecutionsEndedHandler,
)
from notification_service.application.commands.send_mail import SendMailHandler
from notification_service.application.commands.update_contact import UpdateContactHandler
from notification_service.application.commands.update_preferences import UpdatePreferencesHandler
from notification_service.application.commands.welcome_user import WelcomeUserHandler
from notification_service.application.composer import Composer
from notification_service.application.mail_safe import MailSafe
from notification_service.application.ports import Chance, Channel, Signals
from notification_service.application.queries.get_preferences import GetPreferencesHandler
from notification_service.application.queries.list_deliveries import ListDeliveriesHandler
from notification_service.application.queries.list_notifications import ListNotificationsHandler
from notification_service.application.queries.watch_notifications import (
    WatchNotificationsHandler,
)
from notification_service.bootstrap.channels import mail_channel, mail_way
from notification_service.bootstrap.dead_letters import dead_letter_cases
from notification_service.bootstrap.stores import SERVICE, Store, keep, opened
from notification_service.config import Settings
from notification_service.domain.delivery import RetryPolicy
from notification_service.domain.identity_mail import MailWay
from notification_service.entrypoints import (
    dead_letter_api,
    event_consumer,
    grpc_api,
    mail_api,
)
from notification_service.entrypoints.delivery_worker import DeliveryWorker

_log = get_logger("notification_service")
_FOLDER = RetryPolicy(max_attempts=10, base=1.0, cap=60.0)
"""A folder that cannot be written is mended soon, or never."""


@dataclass(frozen=True, slots=True)
class Running:
    """The service while it runs; addresses are host:port."""

    rpc_address: str
    admin_address: str
    app: Application


@dataclass(frozen=True, slots=True)
class World:
    """Everything outside of the service but its store."""

    clock: Clock
    ids: Ids
    chance: Chance
    signals: Signals
    registry: Registry
    bus: Bus
    audit: SettlingAudit = field(default_factory=SilentAudit)


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
        health = Health()
        health.add("store", store.check)
        health.add("bus", bus.check)
        admin = await stack.enter_async_context(
            AdminServer(host=settings.admin_host, port=settings.admin_port, health=health)
        )
        server = _server(settings, world, keys, book, health)
        grpc_api.serve(server, app)
        mail_api.serve(server, app)
        dead_letter_api.serve(server, app)
        rpc = await stack.enter_async_context(server)
        _supervise(supervisor, settings, store, world, app)
        event_consumer.subscribe(bus, app)
        stack.push_async_callback(event_consumer.leave, bus)
        await registry.register(SERVICE, rpc.address)
        stack.push_async_callback(registry.deregister, SERVICE, rpc.address)
        yield Running(rpc.address, admin.address, app)


def assemble(
    settings: Settings, store: Store, world: World, channel: Channel | None
) -> Application:
    """Every use case on its adapters, each observed."""
    clock, signals = world.clock, world.signals
    way = mail_way(settings)
    safe = MailSafe(Safe(load_or_create(settings.mail_key_file), "identity mail"))
    composer = Composer(clock, world.ids, store.preferences, email=way is not MailWay.NONE)
    channel = channel or mail_channel(settings)
    attempt = _attempts(settings, store, world, safe, channel) if channel else None
    send_mail = SendMailHandler(store.mails, safe, way, signals, clock)
    return Application(
        Commands(
            welcome_user=wrap(
                WelcomeUserHandler(store.intake, composer, signals).__call__, name="welcome_user"
            ),
            update_contact=wrap(UpdateContactHandler(store.intake).__call__, name="update_contact"),
            notify_executions_ended=wrap(
                NotifyExecutionsEndedHandler(store.intake, composer, signals).__call__,
                name="notify_executions_ended",
            ),
            notify_account_fact=wrap(
                NotifyAccountFactHandler(store.intake, composer, signals).__call__,
                name="notify_account_fact",
            ),
            erase_user=wrap(EraseUserHandler(store.intake).__call__, name="erase_user"),
            mark_read=wrap(MarkReadHandler(store.inbox, clock).__call__, name="mark_read"),
            update_preferences=wrap(
                UpdatePreferencesHandler(store.preferences, world.audit).__call__,
                name="update_preferences",
            ),
            send_mail=wrap(send_mail.__call__, name="send_mail"),
            attempt_delivery=attempt and wrap(attempt.__call__, name="attempt_delivery"),
        ),
        _queries(store, way),
        dead_letter_cases(store, world.bus, clock, world.audit, rate=settings.redrive_rate),
    )


def _queries(store: Store, way: MailWay) -> Queries:
    return Queries(
        mail_way=way,
        list_notifications=wrap(
            ListNotificationsHandler(store.inbox).__call__, name="list_notifications"
        ),
        watch_notifications=wrap(
            WatchNotificationsHandler(store.inbox).__call__, name="watch_notifications"
        ),
        get_preferences=wrap(
            GetPreferencesHandler(store.preferences).__call__, name="get_preferences"
        ),
        list_deliveries=wrap(
            ListDeliveriesHandler(store.inbox, store.log).__call__, name="list_deliveries"
        ),
    )


def _attempts(
    settings: Settings, store: Store, world: World, safe: MailSafe, channel: Channel
) -> AttemptDeliveryHandler:
    mail = settings.mail
    policy = RetryPolicy(mail.max_attempts, mail.retry_base, mail.retry_cap) if mail else _FOLDER
    return AttemptDeliveryHandler(
        inbox=store.inbox,
        mails=store.mails,
        safe=safe,
        contacts=store.contacts,
        preferences=store.preferences,
        queue=store.queue,
        dead_letters=store.dead_letters,
        channel=channel,
        policy=policy,
        clock=world.clock,
        ids=world.ids,
        chance=world.chance,
        signals=world.signals,
    )


async def _auth(stack: AsyncExitStack, settings: Settings, world: World) -> RpcClient:
    identity = ServiceIdentity.load_or_create(
        settings.data_dir / "keys", SERVICE, clock=world.clock, ids=world.ids
    )
    return await stack.enter_async_context(
        RpcClient(world.registry, "auth", identity, clock=world.clock, ids=world.ids)
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
) -> RpcServer:
    verifier = TokenVerifier(
        audience_of(SERVICE), settings.data_dir / "keys", keys, clock=world.clock
    )
    return RpcServer(
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
