"""The only file that knows every class of the auth service."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from auth_service.adapters.argon2_hasher import Argon2Hasher
from auth_service.adapters.jwt_tokens import JwtTokens
from auth_service.adapters.log_audit import LogAudit
from auth_service.adapters.random_source import SystemRandomness
from auth_service.adapters.sqlite.stores import SqliteStores, sqlite_stores
from auth_service.application.app import DEFAULT_TENANT, Application, Commands, Queries
from auth_service.application.commands.ensure_first_administrator import (
    EnsureFirstAdministrator,
    EnsureFirstAdministratorHandler,
    FirstAdministrator,
)
from auth_service.application.commands.login import LoginHandler
from auth_service.application.commands.logout import LogoutHandler
from auth_service.application.commands.purge_expired import PurgeExpiredHandler
from auth_service.application.commands.refresh import RefreshHandler
from auth_service.application.commands.register import RegisterHandler
from auth_service.application.commands.rotate_keys import RotateKeys, RotateKeysHandler
from auth_service.application.commands.update_me import UpdateMeHandler
from auth_service.application.grants import Grants
from auth_service.application.guessing import Guesses
from auth_service.application.key_ring import KeyRing
from auth_service.application.live_sessions import LiveSessions
from auth_service.application.newcomers import Newcomers
from auth_service.application.ports import Audit, PasswordHasher
from auth_service.application.queries.exchange_token import ExchangeTokenHandler
from auth_service.application.queries.get_keys import GetKeys, GetKeysHandler
from auth_service.application.queries.get_me import GetMeHandler
from auth_service.application.queries.watch_revocations import HEARTBEAT, WatchRevocationsHandler
from auth_service.config import HashingSettings, Settings
from auth_service.domain.signing_key import KeyUse
from auth_service.entrypoints.grpc_api import GUARDS, serve
from auth_service.entrypoints.housekeeper import keep_house
from chassis.admin import AdminServer
from chassis.caching.memory import MemoryLimits
from chassis.caching.port import Limits
from chassis.clock import Clock, SystemClock
from chassis.discovery.port import Registry
from chassis.handlers import wrap
from chassis.health import Health
from chassis.ids import Ids, RandomIds
from chassis.lifecycle import Supervisor
from chassis.messaging.port import Bus
from chassis.messaging.relay import Relay
from chassis.rpc.credentials import TokenVerifier, audience_of
from chassis.rpc.keys import RemoteKeys
from chassis.rpc.server import RpcServer

SERVICE = "auth"


@dataclass(frozen=True, slots=True)
class Running:
    """The service while it runs.

    `first_administrator` is (e-mail, password); the password is there only when it was generated
    by this very start: show it once, it cannot be had again.
    """

    rpc_address: str
    admin_address: str
    first_administrator: FirstAdministrator
    app: Application


@dataclass(frozen=True, slots=True)
class World:
    """Everything outside of the service but its store."""

    clock: Clock
    ids: Ids
    limits: Limits
    hasher: PasswordHasher
    audit: Audit


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
) -> AsyncIterator[Running]:
    """The auth service, started; leaving the block drains and stops it.

    Raises:
        chassis.errors.CannotStart: the store, the keys or a port cannot be used.
    """
    clock = clock or SystemClock()
    async with AsyncExitStack() as stack:
        stores = await stack.enter_async_context(sqlite_stores(settings.store_dir / "auth.db"))
        if hasher is None:
            hasher = await stack.enter_async_context(_argon2(settings.hashing))
        world = World(
            clock=clock,
            ids=ids or RandomIds(),
            limits=limits or MemoryLimits(clock),
            hasher=hasher,
            audit=audit or LogAudit(),
        )
        supervisor = await stack.enter_async_context(Supervisor())
        app = assemble(settings, stores, world)
        first = await _prepare(settings, app)
        health = Health()
        health.add("store", stores.check)
        admin = await stack.enter_async_context(
            AdminServer(host=settings.admin_host, port=settings.admin_port, health=health)
        )
        rpc = await stack.enter_async_context(_rpc_server(settings, app, world, health))
        _supervise(supervisor, stores, bus, app)
        await registry.register(SERVICE, rpc.address)
        stack.push_async_callback(registry.deregister, SERVICE, rpc.address)
        yield Running(rpc.address, admin.address, first, app)


async def _prepare(settings: Settings, app: Application) -> FirstAdministrator:
    """What must be there before the first request: keys that sign, and somebody who can log in."""
    await app.commands.rotate_keys(RotateKeys())
    return await app.commands.ensure_first_administrator(
        EnsureFirstAdministrator(
            DEFAULT_TENANT, settings.administrator.email, settings.administrator.password
        )
    )


def _supervise(supervisor: Supervisor, stores: SqliteStores, bus: Bus, app: Application) -> None:
    for name, work in (
        ("auth-store", stores.database.failed()),
        ("auth-relay", Relay(stores.log, bus).run()),
        ("auth-housekeeper", keep_house(app.commands)),
    ):
        _ = supervisor.start(name, work)


def _argon2(settings: HashingSettings) -> Argon2Hasher:
    return Argon2Hasher(workers=settings.workers, queue=settings.queue)


def _rpc_server(settings: Settings, app: Application, world: World, health: Health) -> RpcServer:
    async def internal_keys() -> bytes:
        return await app.queries.get_keys(GetKeys(KeyUse.INTERNAL))

    server = RpcServer(
        service=SERVICE,
        host=settings.grpc_host,
        port=settings.grpc_port,
        verifier=TokenVerifier(
            audience_of(SERVICE),
            settings.data_dir / "keys",
            RemoteKeys(internal_keys, clock=world.clock),
            clock=world.clock,
        ),
        guards=GUARDS,
        health=health,
        clock=world.clock,
        ids=world.ids,
    )
    serve(server, app)
    return server


def assemble(
    settings: Settings, stores: SqliteStores, world: World, *, heartbeat: float = HEARTBEAT
) -> Application:
    """Every use case with what it needs; *heartbeat* is in seconds."""
    users, sessions, keys = stores.users, stores.sessions, stores.keys
    clock, ids, audit, hasher = world.clock, world.ids, world.audit, world.hasher
    policy = settings.sessions
    tokens = JwtTokens()
    randomness = SystemRandomness()
    ring = KeyRing(keys, clock)
    live = LiveSessions(sessions, clock)
    grants = Grants(tokens, ring, policy, randomness, clock, ids)
    guesses = Guesses(world.limits, settings.guesses)
    newcomers = Newcomers(users, hasher, settings.passwords, clock, ids)
    ensure = EnsureFirstAdministratorHandler(users, newcomers, randomness, audit)
    login = LoginHandler(users, sessions, hasher, guesses, grants, audit, clock, ids)
    refresh = RefreshHandler(sessions, live, grants, policy, audit, clock, ids)
    logout = LogoutHandler(sessions, live, policy, audit, clock, ids)
    rotate = RotateKeysHandler(keys, ring, tokens, settings.keys, audit, clock)
    purge = PurgeExpiredHandler(sessions, keys, stores.log, clock)
    exchange = ExchangeTokenHandler(live, tokens, ring, policy, audit, clock, ids)
    return Application(
        commands=Commands(
            register=wrap(RegisterHandler(newcomers, audit), name="auth.register"),
            login=wrap(login, name="auth.login"),
            refresh=wrap(refresh, name="auth.refresh"),
            logout=wrap(logout, name="auth.logout"),
            update_me=wrap(UpdateMeHandler(users, live, clock, ids), name="auth.update_me"),
            ensure_first_administrator=wrap(ensure, name="auth.ensure_first_administrator"),
            rotate_keys=wrap(rotate, name="auth.rotate_keys"),
            purge_expired=wrap(purge, name="auth.purge_expired"),
        ),
        queries=Queries(
            get_me=wrap(GetMeHandler(users, live), name="auth.get_me"),
            exchange_token=wrap(exchange, name="auth.exchange_token"),
            get_keys=wrap(GetKeysHandler(ring, tokens), name="auth.get_keys"),
            watch_revocations=WatchRevocationsHandler(sessions, clock, heartbeat),
        ),
    )
