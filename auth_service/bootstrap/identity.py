"""Registration, sessions, access tokens, and the keys that sign them."""

from auth_service.application.app import Commands, Queries
from auth_service.application.commands.ensure_first_administrator import (
    EnsureFirstAdministratorHandler,
)
from auth_service.application.commands.login import LoginHandler
from auth_service.application.commands.logout import LogoutHandler
from auth_service.application.commands.purge_expired import PurgeExpiredHandler
from auth_service.application.commands.refresh import RefreshHandler
from auth_service.application.commands.register import RegisterHandler
from auth_service.application.commands.rotate_keys import RotateKeysHandler
from auth_service.application.commands.update_me import UpdateMeHandler
from auth_service.application.newcomers import Newcomers
from auth_service.application.queries.exchange_token import ExchangeTokenHandler
from auth_service.application.queries.get_keys import GetKeysHandler
from auth_service.application.queries.get_me import GetMeHandler
from auth_service.application.queries.watch_revocations import WatchRevocationsHandler
from auth_service.bootstrap.foundation import Foundation
from chassis.handlers import wrap


def commands(base: Foundation) -> Commands:
    """What changes something."""
    settings, stores, live, grants = base.settings, base.stores, base.live, base.grants
    users, sessions, policy = stores.users, stores.sessions, settings.sessions
    clock, ids, audit, hasher = (
        base.world.clock,
        base.world.ids,
        base.world.audit,
        base.world.hasher,
    )
    newcomers = Newcomers(users, hasher, settings.passwords, clock, ids)
    ensure = EnsureFirstAdministratorHandler(users, newcomers, base.randomness, audit)
    login = LoginHandler(base.authenticate, base.mfa.opening, base.mfa.entrance)
    refresh = RefreshHandler(sessions, live, grants, policy, audit, clock, ids)
    logout = LogoutHandler(sessions, live, policy, audit, clock, ids)
    rotate = RotateKeysHandler(stores.keys, base.ring, base.tokens, settings.keys, audit, clock)
    purge = PurgeExpiredHandler(stores.perishables, stores.log, clock)
    return Commands(
        register=wrap(
            RegisterHandler(settings.tenants, newcomers, base.desk, base.mail_requests, audit),
            name="auth.register",
        ),
        login=wrap(login, name="auth.login"),
        refresh=wrap(refresh, name="auth.refresh"),
        logout=wrap(logout, name="auth.logout"),
        update_me=wrap(
            UpdateMeHandler(users, live, base.books, clock, ids, audit), name="auth.update_me"
        ),
        ensure_first_administrator=wrap(ensure, name="auth.ensure_first_administrator"),
        rotate_keys=wrap(rotate, name="auth.rotate_keys"),
        purge_expired=wrap(purge, name="auth.purge_expired"),
    )


def queries(base: Foundation, heartbeat: float) -> Queries:
    """What only looks; *heartbeat* is the feed's, in seconds."""
    world, live = base.world, base.live
    exchange = ExchangeTokenHandler(
        live,
        base.sightings,
        base.tokens,
        base.ring,
        base.books,
        base.settings.sessions,
        base.settings.mfa.required,
        world.audit,
        world.clock,
        world.ids,
    )
    return Queries(
        get_me=wrap(GetMeHandler(base.stores.users, live, base.books), name="auth.get_me"),
        exchange_token=wrap(exchange, name="auth.exchange_token"),
        get_keys=wrap(GetKeysHandler(base.ring, base.tokens), name="auth.get_keys"),
        watch_revocations=WatchRevocationsHandler(base.stores.revocations, world.clock, heartbeat),
    )
