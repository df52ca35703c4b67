"""Grants without a user: the client acts for itself (RFC 6749 section 4.4)."""

from collections.abc import Mapping
from dataclasses import dataclass

from auth_service.application.live_sessions import LiveSessions
from auth_service.application.oauth.answers import Asked
from auth_service.application.oauth.issuing import Issuing
from auth_service.application.ports.oauth import (
    OAuthClients,
)
from auth_service.application.role_books import RoleBooks
from auth_service.domain.oauth.client import Client
from auth_service.domain.oauth.errors import Code, OAuthRefused
from auth_service.domain.oauth.scopes import (
    IDENTITY_SCOPES,
    check_allowed,
    effective_scopes,
    parse_scopes,
)


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """An access token for the client's own account. Its permissions are those of the account."""

    clients: OAuthClients
    books: RoleBooks
    live: LiveSessions
    issuing: Issuing

    async def __call__(self, client: Client, asked: Asked) -> Mapping[str, object]:
        """The members of the response.

        Raises:
            OAuthRefused: a scope is not for this client.
        """
        session = await self.live.find(await self.clients.session_of(client))
        if session is None:
            raise OAuthRefused(Code.UNAUTHORIZED_CLIENT, "The client has no account of its own")
        wanted = parse_scopes(asked.parameters.get("scope"))
        check_allowed(wanted, client.scopes)
        if set(wanted) & set(IDENTITY_SCOPES):
            raise OAuthRefused(
                Code.INVALID_SCOPE, "A client by itself is no user: only permissions make sense"
            )
        own = [scope for scope in client.scopes if scope not in IDENTITY_SCOPES]
        held = await self.books.permissions_of(client.tenant, session.user.roles)
        scopes = effective_scopes(wanted or own, held)
        access_token, life = self.issuing.access_token(client, session, scopes)
        return {
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": int(life.total_seconds()),
            "scope": " ".join(scopes),
        }
