"""Changing, deleting and re-keying clients."""

from dataclasses import dataclass, replace
from datetime import timedelta

from auth_service.application.actor import Actor
from auth_service.application.commands.oauth.register_client import (
    RegisteredClient,
    as_client,
    check_registration,
    new_account,
)
from auth_service.application.live_sessions import LiveSessions
from auth_service.application.oauth.digests import digest_of, opaque
from auth_service.application.ports import Audit, Change, Randomness, RevocationKind
from auth_service.application.ports.oauth import (
    Ending,
    OAuthClients,
    ServiceAccount,
)
from auth_service.application.role_books import RoleBooks
from auth_service.domain.errors import ClientNotFound, InputInvalid
from auth_service.domain.oauth.client import Client, ClientSecret, GrantType
from auth_service.domain.oauth.registration import Registration
from auth_service.domain.permissions import Role
from auth_service.domain.session import RevocationReason, SessionPolicy
from chassis.clock import Clock
from chassis.errors import FieldProblem
from chassis.ids import Ids

MAX_OVERLAP = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class UpdateClient:
    """Put *wanted* in the place of what is known about the client."""

    registrar: Actor
    client_id: str
    wanted: Registration


@dataclass(frozen=True, slots=True)
class DeleteClient:
    """Forget the client; every token that it has is dead."""

    registrar: Actor
    client_id: str


@dataclass(frozen=True, slots=True)
class RotateClientSecret:
    """Give the client a new secret; the one before it counts for *overlap*. None: as configured."""

    registrar: Actor
    client_id: str
    overlap: timedelta | None = None


async def client_of(clients: OAuthClients, tenant: str, client_id: str) -> Client:
    """The tenant's client.

    Raises:
        ClientNotFound: there is none, or it is somebody else's.
    """
    client = await clients.find(client_id)
    if client is None or client.tenant != tenant:
        raise ClientNotFound
    return client


@dataclass(frozen=True, slots=True)
class UpdateClientHandler:
    """Raises `ClientNotFound`, or `InputInvalid` with every problem."""

    clients: OAuthClients
    books: RoleBooks
    live: LiveSessions
    policy: SessionPolicy
    legacy: frozenset[GrantType]
    audit: Audit
    clock: Clock
    ids: Ids

    async def __call__(self, command: UpdateClient) -> Client:
        registrar, wanted = command.registrar, command.wanted
        before = await client_of(self.clients, registrar.tenant, command.client_id)
        check_registration(wanted, registrar, self.legacy, await self.books.book(registrar.tenant))
        if wanted.auth_method is not before.auth_method:
            raise InputInvalid([FieldProblem("token_endpoint_auth_method", "Cannot be changed")])
        now = self.clock.now()
        account = await self._account(before, wanted)
        after = as_client(
            wanted,
            client_id=before.id,
            tenant=before.tenant,
            service_account=account.user_id if account else before.service_account,
            created_at=before.created_at,
            now=now,
        )
        change = None
        if after.service_account:
            until = self.policy.forget_change_at(now)
            change = Change(RevocationKind.PRINCIPAL, after.service_account, until)
        await self.clients.replace(after, account, change)
        self.live.forget_user(after.service_account)
        self.audit.record(
            "oauth_client_changed", tenant=after.tenant, actor=registrar.id, target=after.id
        )
        return after

    async def _account(self, before: Client, wanted: Registration) -> ServiceAccount | None:
        """What the account is from now on: no client_credentials, no rights."""
        if not before.service_account:
            return new_account(wanted, self.ids)
        allowed = GrantType.CLIENT_CREDENTIALS in wanted.grants
        roles = wanted.service_roles or (Role.USER.value,)
        session = await self.clients.session_of(before)
        return ServiceAccount(before.service_account, roles if allowed else (), session)


@dataclass(frozen=True, slots=True)
class DeleteClientHandler:
    """Raises `ClientNotFound`."""

    clients: OAuthClients
    live: LiveSessions
    policy: SessionPolicy
    audit: Audit
    clock: Clock
    ids: Ids

    async def __call__(self, command: DeleteClient) -> None:
        client = await client_of(self.clients, command.registrar.tenant, command.client_id)
        now = self.clock.now()
        ending = Ending(
            self.ids.new(),
            RevocationReason.CLIENT_DELETED,
            now,
            self.policy.forget_revocation_at(now),
        )
        for session_id in await self.clients.delete(client, ending):
            self.live.forget(session_id)
        self.audit.record(
            "oauth_client_deleted",
            tenant=client.tenant,
            actor=command.registrar.id,
            target=client.id,
        )


@dataclass(frozen=True, slots=True)
class RotateClientSecretHandler:
    """Raises `ClientNotFound`, or `InputInvalid` for a client without secrets."""

    clients: OAuthClients
    overlap: timedelta
    randomness: Randomness
    audit: Audit
    clock: Clock

    async def __call__(self, command: RotateClientSecret) -> RegisteredClient:
        client = await client_of(self.clients, command.registrar.tenant, command.client_id)
        overlap = self.overlap if command.overlap is None else command.overlap
        if not client.auth_method.has_secret:
            raise InputInvalid(
                [FieldProblem("token_endpoint_auth_method", "This client has no secret")]
            )
        if not timedelta() <= overlap <= MAX_OVERLAP:
            raise InputInvalid([FieldProblem("overlap_seconds", "Must be at most 30 days")])
        now = self.clock.now()
        secret = opaque(self.randomness)
        until = now + overlap
        await self.clients.rotate(client, ClientSecret(digest_of(secret), now), old_until=until)
        self.audit.record(
            "oauth_client_secret_rotated",
            tenant=client.tenant,
            actor=command.registrar.id,
            target=client.id,
        )
        return RegisteredClient(replace(client, updated_at=now), secret, until)
