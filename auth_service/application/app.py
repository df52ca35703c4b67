"""The list of use cases."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from auth_service.application.commands.ensure_first_administrator import (
    EnsureFirstAdministrator,
    FirstAdministrator,
)
from auth_service.application.commands.login import Login
from auth_service.application.commands.logout import Logout
from auth_service.application.commands.purge_expired import PurgeExpired
from auth_service.application.commands.refresh import Refresh
from auth_service.application.commands.register import Register
from auth_service.application.commands.rotate_keys import RotateKeys
from auth_service.application.commands.update_me import UpdateMe
from auth_service.application.grants import IssuedTokens
from auth_service.application.ports import Revocation
from auth_service.application.queries.exchange_token import ExchangeToken, InternalToken
from auth_service.application.queries.get_keys import GetKeys
from auth_service.application.queries.get_me import GetMe
from auth_service.application.queries.watch_revocations import Heartbeat, WatchRevocations
from auth_service.domain.user import User

DEFAULT_TENANT = "default"

_Request = TypeVar("_Request", contravariant=True)
_Answer = TypeVar("_Answer", covariant=True)

UseCase = Callable[[_Request], Awaitable[_Answer]]


@dataclass(frozen=True, slots=True)
class Commands:
    """What changes something."""

    register: UseCase[Register, User]
    login: UseCase[Login, IssuedTokens]
    refresh: UseCase[Refresh, IssuedTokens]
    logout: UseCase[Logout, None]
    update_me: UseCase[UpdateMe, User]
    ensure_first_administrator: UseCase[EnsureFirstAdministrator, FirstAdministrator]
    rotate_keys: UseCase[RotateKeys, None]
    purge_expired: UseCase[PurgeExpired, None]


@dataclass(frozen=True, slots=True)
class Queries:
    """What only looks."""

    get_me: UseCase[GetMe, User]
    exchange_token: UseCase[ExchangeToken, InternalToken]
    get_keys: UseCase[GetKeys, bytes]
    watch_revocations: Callable[[WatchRevocations], AsyncIterator[Revocation | Heartbeat]]


@dataclass(frozen=True, slots=True)
class Application:
    """Everything that the auth service can do."""

    commands: Commands
    queries: Queries
