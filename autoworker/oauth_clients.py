"""OAuth clients: the part of the client with which administrators manage applications."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

import msgspec

from autoworker.model import Page
from autoworker.places import segment
from autoworker.requests import Requests
from autoworker.transport import decoded


class OAuthClient(msgspec.Struct, frozen=True):
    """An application. `client_secret` is there in the answer that makes it, and never again."""

    client_id: str
    client_name: str
    application_type: str
    token_endpoint_auth_method: str
    grant_types: list[str]
    redirect_uris: list[str]
    scope: str
    created_at: datetime
    updated_at: datetime
    client_secret: str | None = None
    service_account_id: str | None = None


class RotatedSecret(msgspec.Struct, frozen=True):
    """A new secret, shown once, and until when the one before it counts."""

    client_id: str
    client_secret: str
    previous_secret_expires_at: datetime


class OAuthClients(Requests):
    """The applications of the tenant; for administrators."""

    def oauth_clients(self) -> AsyncIterator[OAuthClient]:
        """Every application, oldest first."""
        return self._pages("/v1/oauth-clients", Page[OAuthClient], {})

    async def create_oauth_client(
        self,
        name: str,
        *,
        grant_types: Sequence[str] = ("authorization_code",),
        redirect_uris: Sequence[str] = (),
        scope: str = "openid",
        auth_method: str = "client_secret_basic",
        native: bool = False,
        service_account_roles: Sequence[str] = (),
    ) -> OAuthClient:
        """Register an application.

        Raises:
            InvalidRequest: with everything that is wrong about it.
        """
        body = {
            "client_name": name,
            "grant_types": list(grant_types),
            "redirect_uris": list(redirect_uris),
            "scope": scope,
            "token_endpoint_auth_method": auth_method,
            "application_type": "native" if native else "web",
            "service_account_roles": list(service_account_roles),
        }
        _, answer = await self._send("POST", "/v1/oauth-clients", msgspec.json.encode(body))
        return decoded(answer, OAuthClient)

    async def rotate_oauth_client_secret(
        self, client_id: str, *, overlap: int | None = None
    ) -> RotatedSecret:
        """A new secret; the one before it counts for *overlap* seconds (None: as configured)."""
        body = {} if overlap is None else {"overlap_seconds": overlap}
        path = f"/v1/oauth-clients/{segment(client_id)}/rotate-secret"
        _, answer = await self._send("POST", path, msgspec.json.encode(body))
        return decoded(answer, RotatedSecret)

    async def delete_oauth_client(self, client_id: str) -> None:
        """Forget an application; its tokens are dead at once."""
        await self._send("DELETE", f"/v1/oauth-clients/{segment(client_id)}")
