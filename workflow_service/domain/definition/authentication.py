"""Authentication policies, as compiled.

Source: Open Workflow Specification, DSL reference, "Authentication".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from workflow_service.domain.expressions import JsonValue, Template

Scheme: TypeAlias = Literal["basic", "bearer", "digest", "oauth2", "oidc", "certificate"]


@dataclass(frozen=True, slots=True)
class BasicAuthentication:
    """RFC 7617."""

    username: Template
    password: Template


@dataclass(frozen=True, slots=True)
class BearerAuthentication:
    """RFC 6750."""

    token: Template


@dataclass(frozen=True, slots=True)
class DigestAuthentication:
    """RFC 7616."""

    username: Template
    password: Template


@dataclass(frozen=True, slots=True)
class OAuthAuthentication:
    """A token that an authority gives out: OAuth 2.0 (RFC 6749), or OpenID Connect."""

    scheme: Literal["oauth2", "oidc"]
    authority: Template
    """A URI template."""
    endpoints: Mapping[str, Template]
    """URI templates of those that the author names."""
    fixed: Mapping[str, JsonValue]
    """Members that are chosen from a list, and so are never expressions."""
    members: Template
    """All others."""


@dataclass(frozen=True, slots=True)
class CertificateAuthentication:
    """A client certificate of TLS (RFC 8446, 4.4.2); an addition: DSL 1.0.3 does not have it."""

    certificate: Template
    """PEM, perhaps with those that lead to its authority."""
    key: Template
    """PEM; an expression, since whoever reads a definition must not learn it."""
    authority: Template | None
    """PEM of those that are trusted for the call; None: whom the machine trusts."""


@dataclass(frozen=True, slots=True)
class SecretAuthentication:
    """Credentials that are in a secret, which has the members that the policy would have."""

    scheme: Scheme
    members: Template
    """Comes to the secret: to what stands for its values, as long as nobody performs the call."""


Authentication: TypeAlias = (
    BasicAuthentication
    | BearerAuthentication
    | DigestAuthentication
    | OAuthAuthentication
    | CertificateAuthentication
    | SecretAuthentication
)
