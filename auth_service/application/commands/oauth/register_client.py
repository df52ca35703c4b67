"""RegisterClient: an administrator makes a client."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from auth_service.application.actor import Actor
from auth_service.application.oauth.digests import digest_of, opaque
from auth_service.application.ports import Audit, Randomness
from auth_service.application.ports.oauth import (
    OAuthClients,
    ServiceAccount,
)
from auth_service.application.role_books import RoleBooks
from auth_service.domain.errors import InputInvalid
from auth_service.domain.oauth.client import Client, ClientSecret, GrantType
from auth_service.domain.oauth.registration import Registration, registration_problems
from auth_service.domain.permissions import PERMISSIONS, Role
from auth_service.domain.roles import RoleBook
from chassis.clock import Clock
from chassis.errors import FieldProblem
from chassis.ids import Ids


@dataclass(frozen=True, slots=True)
class RegisterClient:
    """Make a client of the registrar's tenant."""

    registrar: Actor
    wanted: Registration


@dataclass(frozen=True, slots=True)
class RegisteredClient:
    """The client, and its secret when it has one: shown this once, it cannot be had again."""

    client: Client
    secret: str = field(default="", repr=False)
    previous_until: datetime | None = None
    """Until when the secret before this one counts."""


@dataclass(frozen=True, slots=True)
class RegisterClientHandler:
    """Raises `InputInvalid` with every problem."""

    clients: OAuthClients
    books: RoleBooks
    legacy: frozenset[GrantType]
    randomness: Randomness
    audit: Audit
    clock: Clock
    ids: Ids

    async def __call__(self, command: RegisterClient) -> RegisteredClient:
        wanted, registrar = command.wanted, command.registrar
        check_registration(wanted, registrar, self.legacy, await self.books.book(registrar.tenant))
        now = self.clock.now()
        account = new_account(wanted, self.ids)
        client = as_client(
            wanted,
            client_id=self.ids.new(),
            tenant=registrar.tenant,
            service_account=account.user_id if account else "",
            created_at=now,
            now=now,
        )
        secret = opaque(self.randomness) if wanted.auth_method.has_secret else ""
        kept = ClientSecret(digest_of(secret), now) if secret else None
        await self.clients.add(client, kept, account)
        self.audit.record(
            "oauth_client_registered",
            tenant=client.tenant,
            actor=registrar.id,
            target=client.id,
        )
        return RegisteredClient(client, secret)


def check_registration(
    wanted: Registration, registrar: Actor, legacy: Collection[GrantType], book: RoleBook
) -> None:
    """Refuse a client that breaks the rules, or that could do more than *registrar*.

    Raises:
        InputInvalid: with every problem.
    """
    problems = [
        *registration_problems(wanted, permissions=PERMISSIONS, legacy=legacy),
        *_role_problems(wanted, registrar, book),
    ]
    if problems:
        raise InputInvalid(problems)


def _role_problems(
    wanted: Registration, registrar: Actor, book: RoleBook
) -> Sequence[FieldProblem]:
    field_name = "service_account_roles"
    if wanted.service_roles and GrantType.CLIENT_CREDENTIALS not in wanted.grants:
        return [FieldProblem(field_name, "Needs the grant type client_credentials")]
    unknown = [role for role in wanted.service_roles if book.find(role) is None]
    if unknown:
        return [FieldProblem(field_name, f"{unknown[0][:60]!r} is not a role")]
    given = book.permissions_of(wanted.service_roles or (Role.USER.value,))
    if GrantType.CLIENT_CREDENTIALS in wanted.grants and not registrar.permissions.issuperset(
        given
    ):
        return [FieldProblem(field_name, "Must not have more permissions than yourself")]
    return []


def new_account(wanted: Registration, ids: Ids) -> ServiceAccount | None:
    """A service account for a client that may act for itself."""
    if GrantType.CLIENT_CREDENTIALS not in wanted.grants:
        return None
    return ServiceAccount(ids.new(), wanted.service_roles or (Role.USER.value,), ids.new())


def as_client(
    wanted: Registration,
    *,
    client_id: str,
    tenant: str,
    service_account: str,
    created_at: datetime,
    now: datetime,
) -> Client:
    """The client that *wanted* describes."""
    return Client(
        id=client_id,
        tenant=tenant,
        name=wanted.name,
        application_type=wanted.application_type,
        auth_method=wanted.auth_method,
        grants=wanted.grants,
        redirect_uris=wanted.redirect_uris,
        post_logout_redirect_uris=wanted.post_logout_redirect_uris,
        scopes=wanted.scopes,
        id_token_algorithm=wanted.id_token_algorithm,
        jwks=wanted.jwks,
        first_party=wanted.first_party,
        resource_server=wanted.resource_server,
        service_account=service_account,
        service_roles=wanted.service_roles,
        created_at=created_at,
        updated_at=now,
    )
