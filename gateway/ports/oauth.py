"""OAuth 2.1 and OpenID Connect: the endpoints of the protocol, and the clients that use them."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol

from msgspec import UNSET, Raw, Struct, UnsetType

from gateway.ports.common import Caller, Origin, Page, PageRequest


class Endpoint(Enum):
    """What clients ask."""

    TOKEN = "token"  # noqa: S105 -- a name, no secret
    REVOCATION = "revocation"
    INTROSPECTION = "introspection"
    PUSHED_AUTHORIZATION = "pushed_authorization"
    DEVICE_AUTHORIZATION = "device_authorization"
    USERINFO = "userinfo"


class OAuthPage(Enum):
    """What browsers are shown, or send back."""

    AUTHORIZE = "authorize"
    CONTINUE = "continue"
    SUBMIT = "submit"
    DEVICE = "device"
    DEVICE_SUBMIT = "device_submit"
    LOGOUT = "logout"
    LOGOUT_SUBMIT = "logout_submit"
    FORGOT_PASSWORD = "forgot_password"  # noqa: S105 -- a name, no secret
    FORGOT_PASSWORD_SUBMIT = "forgot_password_submit"  # noqa: S105
    RESET_PASSWORD = "reset_password"  # noqa: S105
    RESET_PASSWORD_SUBMIT = "reset_password_submit"  # noqa: S105
    INVITATION = "invitation"
    INVITATION_SUBMIT = "invitation_submit"
    VERIFY_EMAIL = "verify_email"
    VERIFY_EMAIL_SUBMIT = "verify_email_submit"
    CONFIRM_EMAIL = "confirm_email"
    CONFIRM_EMAIL_SUBMIT = "confirm_email_submit"


@dataclass(frozen=True, slots=True)
class Form:
    """Parameters in the order in which they came, and what came with them."""

    parameters: tuple[tuple[str, str], ...]
    authorization: str
    issuer: str
    """The address under which the world knows us."""
    origin: Origin


@dataclass(frozen=True, slots=True)
class ProtocolAnswer:
    """What a client gets: a JSON object, or nothing."""

    status: int
    body: bytes
    challenge: str


@dataclass(frozen=True, slots=True)
class PageRequested:
    """What a browser asks for."""

    parameters: tuple[tuple[str, str], ...]
    cookie: str
    issuer: str
    origin: Origin
    device: str = ""
    """The token of a remembered device."""


@dataclass(frozen=True, slots=True)
class PageAnswer:
    """A page, or where the browser goes."""

    status: int
    location: str
    html: str
    policy: str
    """Its Content-Security-Policy."""
    cookie: str | None
    """Our cookie from now on, "" when it goes; None leaves it."""
    retry_after: float
    device: str | None = None
    """The token of a remembered device from now on; None leaves it."""


class OAuthPages(Protocol):
    """What browsers see of OAuth, and of accounts."""

    async def browse(self, page: OAuthPage, requested: PageRequested) -> PageAnswer:
        """The answer to a browser."""
        ...


class GivenConsent(Struct, frozen=True):
    """What the caller lets a client do."""

    client_id: str
    client_name: str
    scope: str
    granted_at: datetime


class GivenConsents(Struct, frozen=True):
    """All that the caller has agreed to."""

    items: list[GivenConsent]


class Consents(Protocol):
    """What users have agreed to."""

    async def consents(self, caller: Caller) -> GivenConsents:
        """All of the caller's."""
        ...

    async def withdraw_consent(self, caller: Caller, client_id: str) -> None:
        """Take it back: what the client has of the caller is dead."""
        ...


class OAuthEndpoints(Protocol):
    """Answers what the protocol asks."""

    async def ask(self, endpoint: Endpoint, form: Form) -> ProtocolAnswer:
        """The answer of *endpoint* to *form*; refusals of the protocol are answers, too."""
        ...

    async def metadata(self, issuer: str) -> bytes:
        """What this server can do, as JSON."""
        ...


class ClientMetadata(Struct, frozen=True, forbid_unknown_fields=True):
    """What an administrator says about a client, in the words of RFC 7591."""

    client_name: str
    application_type: str = "web"
    token_endpoint_auth_method: str = "client_secret_basic"  # noqa: S105 -- a method, no secret
    grant_types: tuple[str, ...] = ("authorization_code",)
    redirect_uris: tuple[str, ...] = ()
    post_logout_redirect_uris: tuple[str, ...] = ()
    scope: str = "openid"
    id_token_signed_response_alg: str = "RS256"  # noqa: S105 -- an algorithm
    jwks: Raw | UnsetType = UNSET
    jwks_uri: str | None = None
    first_party: bool = False
    resource_server: bool = False
    service_account_roles: tuple[str, ...] = ()


class OAuthClient(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A client. Its secret is there in the answer that makes it, and never again."""

    client_id: str
    client_secret: str | UnsetType = UNSET
    client_name: str
    application_type: str
    token_endpoint_auth_method: str
    grant_types: list[str]
    redirect_uris: list[str]
    post_logout_redirect_uris: list[str]
    scope: str
    id_token_signed_response_alg: str
    jwks: Raw | UnsetType = UNSET
    first_party: bool
    resource_server: bool
    service_account_roles: list[str]
    service_account_id: str | UnsetType = UNSET
    created_at: datetime
    updated_at: datetime


class RotatedSecret(Struct, frozen=True):
    """A new secret, and until when the one before it counts."""

    client_id: str
    client_secret: str
    previous_secret_expires_at: datetime


class OAuthClients(Protocol):
    """The clients of the caller's tenant."""

    async def create_client(self, caller: Caller, metadata: ClientMetadata) -> OAuthClient:
        """A new client, with its secret."""
        ...

    async def client(self, caller: Caller, client_id: str) -> OAuthClient:
        """One client."""
        ...

    async def clients(self, caller: Caller, page: PageRequest) -> Page[OAuthClient]:
        """A page of clients."""
        ...

    async def update_client(
        self, caller: Caller, client_id: str, metadata: ClientMetadata
    ) -> OAuthClient:
        """The client, described anew."""
        ...

    async def delete_client(self, caller: Caller, client_id: str) -> None:
        """Forget it; its tokens are dead."""
        ...

    async def rotate_secret(
        self, caller: Caller, client_id: str, overlap: int | None
    ) -> RotatedSecret:
        """A new secret; *overlap* seconds for the one before it, None: as configured."""
        ...
