"""What opens the doors of those whom a workflow calls, every expression already evaluated.

Source: Open Workflow Specification, DSL reference, "Authentication", "External Resource".
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from workflow_service.domain.definition.authentication import Scheme
from workflow_service.domain.expressions import JsonValue


class BasicCredentials(msgspec.Struct, frozen=True, tag="basic"):
    """RFC 7617."""

    username: str
    password: str


class BearerCredentials(msgspec.Struct, frozen=True, tag="bearer"):
    """RFC 6750."""

    token: str


class DigestCredentials(msgspec.Struct, frozen=True, tag="digest"):
    """RFC 7616."""

    username: str
    password: str


class OAuthToken(msgspec.Struct, frozen=True):
    """A token that stands for somebody."""

    token: str
    type: str


class OAuthClient(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who asks for tokens, and how it proves that."""

    id: str = ""
    secret: str = ""
    assertion: str = ""
    authentication: Literal[
        "client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "none"
    ] = "client_secret_post"


class OAuthEndpoints(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where the authority is asked; relative to it. Empty: the standard's default, or what the authority publishes."""

    token: str = ""
    revocation: str = ""
    introspection: str = ""


class OAuthRequest(msgspec.Struct, frozen=True, omit_defaults=True):
    """How the authority is asked."""

    encoding: Literal["application/x-www-form-urlencoded", "application/json"] = (
        "application/x-www-form-urlencoded"
    )


class OAuthCredentials(
    msgspec.Struct, frozen=True, tag="oauth", omit_defaults=True, rename="camel", kw_only=True
):
    """How a token is had: OAuth 2.0 (RFC 6749, RFC 8693), or OpenID Connect."""

    authority: str
    grant: Literal[
        "authorization_code",
        "client_credentials",
        "password",
        "refresh_token",
        "urn:ietf:params:oauth:grant-type:token-exchange",
    ]
    oidc: bool = False
    """Whether the authority publishes its endpoints, as OpenID Connect Discovery has it."""
    endpoints: OAuthEndpoints = OAuthEndpoints()
    client: OAuthClient = OAuthClient()
    request: OAuthRequest = OAuthRequest()
    issuers: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    audiences: tuple[str, ...] = ()
    username: str = ""
    password: str = ""
    subject: OAuthToken | None = None
    actor: OAuthToken | None = None
    refresh_token: str = ""
    """Like those that follow, only a secret may have it; elsewhere it is the subject's token."""
    code: str = ""
    code_verifier: str = ""
    redirect_uri: str = ""


class CertificateCredentials(msgspec.Struct, frozen=True, tag="certificate", omit_defaults=True):
    """A client certificate of TLS, all in PEM."""

    certificate: str
    """Perhaps with those that lead to its authority."""
    key: str
    authority: str = ""
    """Those that are trusted for the call; empty: whom the machine trusts."""


class SecretCredentials(msgspec.Struct, frozen=True, tag="secret"):
    """Credentials that a secret holds: what they are shows when its values are there, which is when the call is made."""

    scheme: Scheme
    members: JsonValue


Credentials: TypeAlias = (
    BasicCredentials
    | BearerCredentials
    | DigestCredentials
    | OAuthCredentials
    | CertificateCredentials
    | SecretCredentials
)


class Resource(msgspec.Struct, frozen=True, omit_defaults=True):
    """A document that stands elsewhere (DSL reference, "External Resource")."""

    uri: str
    credentials: Credentials | None = None
