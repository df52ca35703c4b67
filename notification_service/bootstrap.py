"""The only file that knows every class of the notification service."""

import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from chassis.admin import AdminServer
from chassis.clock import Clock, SystemClock
from chassis.discovery.port import Registry
from chassis.errors import CannotStart
from chassis.handlers import wrap
from chassis.health import Health
from chassis.ids import Ids, RandomIds
from chassis.lifecycle import Supervisor
from chassis.messaging.port import Bus
from chassis.rpc.client import RpcClient
from chassis.rpc.credentials import ServiceIdentity, TokenVerifier, audience_of
from chassis.rpc.keys import KeySource, RemoteKeys
from chassis.rpc.server import RpcServer
from notification_service.adapters.auth_keys import AuthKeys
from notification_service.adapters.chance import SystemChance
from notification_service.adapters.channels.email import EmailChannel, Encryption, Server
from notification_service.adapters.channels.mail import Sender
from notification_service.adapters.signals import OperatorSignals
from notification_service.adapters.sqlite.store import SqliteStore, opened
from notification_service.application.app import Application, Commands, Queries
from notification_service.application.commands.attempt_delivery import AttemptDeliveryHandler
from notification_service.application.commands.mark_read import MarkReadHandler
from notification_service.application.commands.notify_execution_ended import (
    NotifyExecutionEndedHandler,
)
from notification_service.application.commands.update_contact import UpdateContactHandler
from notification_service.application.commands.update_preferences import UpdatePreferencesHandler
from notification_service.application.commands.welcome_user import WelcomeUserHandler
from notification_service.application.composer import Composer
from notification_service.application.ports import Chance, Channel, Signals
from notification_service.application.queries.get_preferences import GetPreferencesHandler
from notification_service.application.queries.list_deliveries import ListDeliveriesHandler
from notification_service.application.queries.list_notifications import ListNotificationsHandler
from notification_service.application.queries.watch_notifications import (
    WatchNotificationsHandler,
)
from notification_service.config import MailEncryption, MailSettings, Settings
from notification_service.domain.delivery import RetryPolicy
from notification_service.entrypoints import event_consumer, grpc_api
from notification_service.entrypoints.delivery_worker import DeliveryWorker

SERVICE = "notification"

_ENCRYPTION = {
    MailEncryption.WHEN_OFFERED: Encryption.WHEN_OFFERED,
    MailEncryption.REQUIRED: Encryption.REQUIRED,
    MailEncryption.IMPLICIT: Encryption.IMPLICIT,
}


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
        store = await stack.enter_async_context(opened(settings.store_dir / f"{SERVICE}.db"))
        supervisor = await stack.enter_async_context(Supervisor())
        app = assemble(settings.mail, store, world, channel)
        keys = keys or await _keys_of_auth(stack, settings, world)
        health = Health()
        health.add("store", store.check)
        admin = await stack.enter_async_context(
            AdminServer(host=settings.admin_host, port=settings.admin_port, health=health)
        )
        server = _server(settings, world, keys, health)
        grpc_api.serve(server, app)
        rpc = await stack.enter_async_context(server)
        _supervise(supervisor, settings.mail, store, world, app)
        event_consumer.subscribe(bus, app.commands)
        await registry.register(SERVICE, rpc.address)
        stack.push_async_callback(registry.deregister, SERVICE, rpc.address)
        yield Running(rpc.address, admin.address, app)


def assemble(
    mail: MailSettings | None, store: SqliteStore, world: World, channel: Channel | None
) -> Application:
    """Every use case on its adapters, each observed."""
    clock, signals = world.clock, world.signals
    composer = Composer(clock, world.ids, store.preferences, email=mail is not None)
    attempt = _attempts(mail, store, world, channel or _channel(mail)) if mail else None
    return Application(
        Commands(
            welcome_user=wrap(
                WelcomeUserHandler(store.intake, composer, signals).__call__, name="welcome_user"
            ),
            update_contact=wrap(UpdateContactHandler(store.intake).__call__, name="update_contact"),
            notify_execution_ended=wrap(
                NotifyExecutionEndedHandler(store.intake, composer, signals).__call__,
                name="notify_execution_ended",
            ),
            mark_read=wrap(MarkReadHandler(store.inbox, clock).__call__, name="mark_read"),
            update_preferences=wrap(
                UpdatePreferencesHandler(store.preferences).__call__, name="update_preferences"
            ),
            attempt_delivery=attempt and wrap(attempt.__call__, name="attempt_delivery"),
        ),
        _queries(store),
    )


def _queries(store: SqliteStore) -> Queries:
    return Queries(
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
    mail: MailSettings, store: SqliteStore, world: World, channel: Channel
) -> AttemptDeliveryHandler:
    return AttemptDeliveryHandler(
        inbox=store.inbox,
        contacts=store.contacts,
        preferences=store.preferences,
        queue=store.queue,
        channel=channel,
        policy=RetryPolicy(mail.max_attempts, mail.retry_base, mail.retry_cap),
        clock=world.clock,
        ids=world.ids,
        chance=world.chance,
        signals=world.signals,
    )


def _channel(mail: MailSettings) -> EmailChannel:
    server = Server(
        host=mail.host,
        port=mail.port,
        encryption=_ENCRYPTION[mail.encryption],
        username=mail.username,
        password=mail.password,
        timeout=mail.timeout,
    )
    try:
        trust = ssl.create_default_context(cafile=mail.ca_file)
    except OSError as exc:
        raise CannotStart(f"cannot read AUTOWORKER_SMTP_CA_FILE {mail.ca_file}: {exc}") from exc
    return EmailChannel(server, Sender(mail.sender_name, mail.sender_address), trust)


async def _keys_of_auth(stack: AsyncExitStack, settings: Settings, world: World) -> KeySource:
    identity = ServiceIdentity.load_or_create(
        settings.data_dir / "keys", SERVICE, clock=world.clock, ids=world.ids
    )
    client = await stack.enter_async_context(
        RpcClient(world.registry, "auth", identity, clock=world.clock, ids=world.ids)
    )
    return RemoteKeys(AuthKeys(client).fetch, clock=world.clock)


def _server(settings: Settings, world: World, keys: KeySource, health: Health) -> RpcServer:
    verifier = TokenVerifier(
        audience_of(SERVICE), settings.data_dir / "keys", keys, clock=world.clock
    )
    return RpcServer(
        service=SERVICE,
        host=settings.grpc_host,
        port=settings.grpc_port,
        verifier=verifier,
        guards=grpc_api.GUARDS,
        health=health,
        reflection=settings.insecure_dev,
        clock=world.clock,
        ids=world.ids,
    )


def _supervise(
    supervisor: Supervisor,
    mail: MailSettings | None,
    store: SqliteStore,
    world: World,
    app: Application,
) -> None:
    _ = supervisor.start("notification-store", store.database.failed())
    if mail is None or app.commands.attempt_delivery is None:
        return
    worker = DeliveryWorker(
        store.queue,
        app.commands.attempt_delivery,
        supervisor=supervisor,
        clock=world.clock,
        signals=world.signals,
        concurrency=mail.concurrency,
    )
    _ = supervisor.start("notification-deliveries", worker.run())
