"""The list of use cases: what identity is made of, and one group for each further capability.

A group is a frozen dataclass of use cases in a module of `auth_service.application.groups`, and one line
in `Application`.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

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
from auth_service.application.groups.access import Access
from auth_service.application.groups.accounts import AccountCases
from auth_service.application.groups.api_keys import ApiKeyCases
from auth_service.application.groups.audit import AuditGroup
from auth_service.application.groups.mfa import MfaCases
from auth_service.application.groups.oauth import OAuthUseCases
from auth_service.application.groups.policies import PolicyCases
from auth_service.application.ports import Revocation
from auth_service.application.profiles import Profile
from auth_service.application.queries.exchange_token import ExchangeToken, InternalToken
from auth_service.application.queries.get_keys import GetKeys
from auth_service.application.queries.get_me import GetMe
from auth_service.application.queries.watch_revocations import Heartbeat, WatchRevocations
from auth_service.application.use_case import UseCase
from auth_service.domain.user import User


@dataclass(frozen=True, slots=True)
class Commands:
    """What changes something: users, sessions, signing keys."""

    register: UseCase[Register, User]
    login: UseCase[Login, IssuedTokens]
    refresh: UseCase[Refresh, IssuedTokens]
    logout: UseCase[Logout, None]
    update_me: UseCase[UpdateMe, Profile]
    ensure_first_administrator: UseCase[EnsureFirstAdministrator, FirstAdministrator]
    rotate_keys: UseCase[RotateKeys, None]
    purge_expired: UseCase[PurgeExpired, None]


@dataclass(frozen=True, slots=True)
class Queries:
    """What only looks: users, tokens, keys, and the feed of revocations."""

    get_me: UseCase[GetMe, Profile]
    exchange_token: UseCase[ExchangeToken, InternalToken]
    get_keys: UseCase[GetKeys, bytes]
    watch_revocations: Callable[[WatchRevocations], AsyncIterator[Revocation | Heartbeat]]


@dataclass(frozen=True, slots=True)
class Application:
    """Everything that the auth service can do."""

    commands: Commands
    queries: Queries
    api_keys: ApiKeyCases
    access: Access
    audit: AuditGroup
    oauth: OAuthUseCases
    mfa: MfaCases
    accounts: AccountCases
    policies: PolicyCases
