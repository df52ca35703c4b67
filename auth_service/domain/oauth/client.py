"""Clients: applications that ask for tokens, in the words of RFC 7591."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

MAX_SECRETS: Final = 2
"""Live ones at once: while a new secret is rolled out, the one before it still counts."""


class GrantType(StrEnum):
    """Ways to get tokens."""

    AUTHORIZATION_CODE = "authorization_code"
    REFRESH_TOKEN = "refresh_token"  # noqa: S105 -- a name, no secret
    CLIENT_CREDENTIALS = "client_credentials"
    DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
    PASSWORD = "password"  # noqa: S105 -- a name, no secret
    IMPLICIT = "implicit"


LEGACY: Final = frozenset({GrantType.PASSWORD, GrantType.IMPLICIT})
"""Gone with OAuth 2.1: they work only where the operator says so."""


class AuthMethod(StrEnum):
    """How a client proves who it is at the token endpoint."""

    NONE = "none"
    BASIC = "client_secret_basic"
    POST = "client_secret_post"
    PRIVATE_KEY_JWT = "private_key_jwt"

    @property
    def has_secret(self) -> bool:
        """Whether there is a secret to keep."""
        return self in (AuthMethod.BASIC, AuthMethod.POST)

    def takes(self, shown: "AuthMethod") -> bool:
        """Whether a client of this method may prove itself by *shown*.

        A secret is one, in the header or in the form: libraries choose either without asking.
        """
        return self is shown or (self.has_secret and shown.has_secret)


class ApplicationType(StrEnum):
    """Where a client runs: on a server, or on its user's machine."""

    WEB = "web"
    NATIVE = "native"


class IdTokenAlgorithm(StrEnum):
    """What signs a client's ID tokens."""

    RS256 = "RS256"
    ES256 = "ES256"


@dataclass(frozen=True, slots=True)
class Client:
    """A registered application."""

    id: str
    tenant: str
    name: str
    application_type: ApplicationType
    auth_method: AuthMethod
    grants: tuple[GrantType, ...]
    redirect_uris: tuple[str, ...]
    post_logout_redirect_uris: tuple[str, ...]
    scopes: tuple[str, ...]
    """All that it may ask for."""
    id_token_algorithm: IdTokenAlgorithm
    jwks: str
    """Its public keys as a JWK set, "" when it has none."""
    first_party: bool
    """Its users are not asked for consent: it belongs to whoever runs this suite."""
    resource_server: bool
    """It may introspect tokens of other clients."""
    service_account: str
    """The principal that it is by itself; "" without client credentials."""
    service_roles: tuple[str, ...]
    created_at: datetime
    updated_at: datetime

    @property
    def native(self) -> bool:
        """Whether it runs on its user's machine."""
        return self.application_type is ApplicationType.NATIVE

    @property
    def public(self) -> bool:
        """Whether it cannot keep a secret."""
        return self.auth_method is AuthMethod.NONE


@dataclass(frozen=True, slots=True)
class ClientSecret:
    """A secret as the store knows it: its SHA-256, never itself. 256 random bits need no more."""

    digest: bytes
    created_at: datetime
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class OAuthPolicy:
    """How long things live, and which old grants are still on."""

    code: timedelta = timedelta(seconds=60)
    request: timedelta = timedelta(minutes=30)
    """From the first request to the end of login and consent."""
    pushed: timedelta = timedelta(seconds=60)
    browser: timedelta = timedelta(hours=12)
    """A login in the browser, whoever uses it."""
    device: timedelta = timedelta(minutes=10)
    device_interval: timedelta = timedelta(seconds=5)
    secret_overlap: timedelta = timedelta(days=1)
    legacy: frozenset[GrantType] = frozenset()
