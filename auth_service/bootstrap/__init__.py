"""Puts the auth service together: one module per capability, and here what holds them together.

A capability has its own use cases (a group in `auth_service.application.app`), its own store, schema and
gRPC face; here it takes one line in `assemble` and one in `auth_service.bootstrap.rpc`.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from auth_service.adapters.argon2_hasher import Argon2Hasher
from auth_service.adapters.messengers import messenger
from auth_service.adapters.notification_mail import NotificationMail
from auth_service.application.app import Application
from auth_service.application.commands.ensure_first_administrator import (
    EnsureFirstAdministrator,
    FirstAdministrator,
)
from auth_service.application.commands.rotate_keys import RotateKeys
from auth_service.application.mail_round import MailRound
from auth_service.application.ports import Audit, PasswordHasher
from auth_service.application.ports.mfa import Messenger
from auth_service.application.queries.watch_revocations import HEARTBEAT
from auth_service.bootstrap import access, identity, oauth
from auth_service.bootstrap.accounts import accounts
from auth_service.bootstrap.api_keys import api_keys
from auth_service.bootstrap.audit import audit_group, recorder
from auth_service.bootstrap.foundation import World, foundation, postman_of
from auth_service.bootstrap.mfa import mfa
from auth_service.bootstrap.policies import policies
from auth_service.bootstrap.rpc import SERVICE, rpc_server
from auth_service.bootstrap.stores import (
    Stores,
    keep,
    opened,
    relayed_log,
    relayed_mails,
    rounds,
)
from auth_service.config import HashingSettings, Settings
from auth_service.domain.tenant import DEFAULT_TENANT
from auth_service.entrypoints.event_relay import event_relay
from auth_service.entrypoints.housekeeper import keep_audit, keep_house
from auth_service.entrypoints.mail_relay import relay_mails
from auth_service.entrypoints.policy_feed import local
from chassis.admin import AdminServer
from chassis.audit.recorder import Recorder
from chassis.caching.opening import limits_at
from chassis.caching.port import Limits
from chassis.clock import Clock, SystemClock
from chassis.crypto.key_file import WrappingKeys, load_or_create
from chassis.discovery.port import Registry
from chassis.discovery.registering import registered
from chassis.health import Health
from chassis.ids import Ids, RandomIds
from chassis.lifecycle import Supervisor
from chassis.messaging.port import Bus
from chassis.policies.feed import followed
from chassis.rpc.client import RpcClient
from chassis.rpc.neighbours import neighbour

__all__ = ["Running", "World", "assemble", "running"]


@dataclass(frozen=True, slots=True)
class Running:
    """The service while it runs.

    `first_administrator` is (e-mail, password); the password is there only when it was generated
    by this very start: show it once, it cannot be had again. The others are those of other tenants.
    """

    rpc_address: str
    admin_address: str
    first_administrator: FirstAdministrator
    other_administrators: Mapping[str, FirstAdministrator]
    app: Application


@asynccontextmanager
async def running(
    settings: Settings,
    *,
    registry: Registry,
    bus: Bus,
    clock: Clock | None = None,
    ids: Ids | None = None,
    limits: Limits | None = None,
    hasher: PasswordHasher | None = None,
    audit: Audit | None = None,
    sms: Messenger | None = None,
) -> AsyncIterator[Running]:
    """The auth service, started; leaving the block drains and stops it.

    Raises:
        chassis.errors.CannotStart: the store, the keys or a port cannot be used.
    """
    outside = _Outside(
        registry, bus, clock or SystemClock(), ids or RandomIds(), limits, hasher, audit, sms
    )
    async with AsyncExitStack() as stack:
        keys = load_or_create(settings.key_file)
        stores = await stack.enter_async_context(opened(settings, keys, outside.ids))
        told = await recorder(settings, stores, outside.clock, outside.ids)
        world = await _world(stack, settings, outside, keys, told)
        supervisor = await stack.enter_async_context(Supervisor())
        _ = supervisor.start("auth-audit", told.run())
        app = assemble(settings, stores, world)
        first = await _prepare(settings, app)
        health = Health(store=stores.check, bus=bus.check)
        admin = await stack.enter_async_context(
            AdminServer(host=settings.admin_host, port=settings.admin_port, health=health)
        )
        book = followed(local(app.policies.watch), world.clock, world.audit)
        decisions = await stack.enter_async_context(book)
        server = rpc_server(settings, app, world, health, decisions, told)
        rpc = await stack.enter_async_context(server)
        keep(stores, supervisor)
        _supervise(supervisor, settings, stores, bus, app, rounds(stores, told, outside.ids))
        _ = supervisor.start("auth-mail", _mail(stores, world))
        await stack.enter_async_context(registered(registry, SERVICE, rpc.address))
        yield Running(rpc.address, admin.address, first.pop(DEFAULT_TENANT), first, app)


@dataclass(frozen=True, slots=True)
class _Outside:
    """What the caller of `running` brings; None stands for what the settings say."""

    registry: Registry
    bus: Bus
    clock: Clock
    ids: Ids
    limits: Limits | None
    hasher: PasswordHasher | None
    audit: Audit | None
    sms: Messenger | None


async def _world(
    stack: AsyncExitStack, settings: Settings, outside: _Outside, keys: WrappingKeys, told: Recorder
) -> World:
    clock, way = outside.clock, settings.mfa.sms
    limits, hasher = outside.limits, outside.hasher
    if limits is None:
        limits = await stack.enter_async_context(limits_at(settings.backends.cache_url, clock))
    if hasher is None:
        hasher = await stack.enter_async_context(_argon2(settings.hashing))
    return World(
        clock=clock,
        ids=outside.ids,
        limits=limits,
        hasher=hasher,
        audit=outside.audit or told,
        keys=keys,
        carrier=NotificationMail(await _notification(stack, settings, outside), clock),
        messenger=outside.sms or messenger(way.url, way.token, way.apprise),
    )


async def _prepare(settings: Settings, app: Application) -> dict[str, FirstAdministrator]:
    """What must be there before the first request: keys that sign, and who can log in, by tenant."""
    await app.commands.rotate_keys(RotateKeys())
    email, password = settings.administrator.email, settings.administrator.password
    return {
        tenant: await app.commands.ensure_first_administrator(
            EnsureFirstAdministrator(tenant, email, password)
        )
        for tenant in sorted(settings.tenants)
    }


def _supervise(
    supervisor: Supervisor,
    settings: Settings,
    stores: Stores,
    bus: Bus,
    app: Application,
    more: Sequence[Callable[[], Awaitable[None]]],
) -> None:
    for name, work in (
        ("auth-relay", event_relay(relayed_log(stores), bus).run()),
        ("auth-audit-keeper", keep_audit(app.audit, every=settings.audit.checkpoint_every)),
        ("auth-housekeeper", keep_house(app.commands, app.accounts.flush_sightings, *more)),
    ):
        _ = supervisor.start(name, work)


async def _notification(stack: AsyncExitStack, settings: Settings, outside: _Outside) -> RpcClient:
    return await stack.enter_async_context(
        neighbour(
            "notification",
            caller=SERVICE,
            registry=outside.registry,
            keys_dir=settings.data_dir / "keys",
            clock=outside.clock,
            ids=outside.ids,
        )
    )


async def _mail(stores: Stores, world: World) -> None:
    postman, mails = postman_of(stores, world), relayed_mails(stores)
    one_round = MailRound(mails, postman, world.carrier, world.audit, world.clock)
    await relay_mails(mails, one_round)


def _argon2(settings: HashingSettings) -> Argon2Hasher:
    return Argon2Hasher(workers=settings.workers, queue=settings.queue)


def assemble(
    settings: Settings, stores: Stores, world: World, *, heartbeat: float = HEARTBEAT
) -> Application:
    """Every use case with what it needs; *heartbeat* is in seconds."""
    base = foundation(settings, stores, world)
    return Application(
        commands=identity.commands(base),
        queries=identity.queries(base, heartbeat),
        api_keys=api_keys(base),
        access=access.use_cases(base),
        audit=audit_group(base),
        oauth=oauth.oauth(base),
        mfa=mfa(base),
        accounts=accounts(base),
        policies=policies(base, heartbeat),
    )
