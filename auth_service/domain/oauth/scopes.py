"""Scopes: what OpenID Connect defines, and permissions of the API (`resource:action`)."""

import re
from collections.abc import Iterable
from typing import Final

from auth_service.domain.oauth.errors import Code, OAuthRefused

OPENID: Final = "openid"
OFFLINE: Final = "offline_access"
IDENTITY_SCOPES: Final = (OPENID, "profile", "email", OFFLINE)
MAX_SCOPES: Final = 100
_TOKEN: Final = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]{1,128}", re.ASCII)
_RESOURCES: Final = {
    "workflows": "workflows",
    "executions": "executions of workflows",
    "events": "events",
    "functions": "functions",
    "schedules": "schedules",
    "secrets": "secrets (their names, never their values)",
    "workers": "workers",
    "notifications": "your notifications",
    "users": "users",
    "oauth-clients": "applications",
    "api-keys": "API keys",
    "roles": "roles",
    "policies": "policies",
    "audit": "the audit log",
}
_ACTIONS: Final = {
    "read": "See",
    "write": "Create and change",
    "read-all": "See all of the tenant's",
    "write-all": "Change all of the tenant's",
    "share": "Share",
    "connect": "Connect",
    "serve-all": "Serve everybody's tasks with",
}
_IDENTITY: Final = {
    OPENID: "Know who you are",
    "profile": "See your name",
    "email": "See your e-mail address",
    OFFLINE: "Keep this access while you are away",
    "users:self": "See and change your own account",
}


def parse_scopes(text: str) -> tuple[str, ...]:
    """The scopes in *text*, each once, in their order (RFC 6749 section 3.3).

    Raises:
        OAuthRefused: it is not a list of scopes.
    """
    scopes = tuple(dict.fromkeys(text.split(" "))) if text else ()
    if len(scopes) > MAX_SCOPES or not all(_TOKEN.fullmatch(scope) for scope in scopes):
        raise OAuthRefused(Code.INVALID_SCOPE, "The scope is not a list of scopes")
    return scopes


def check_allowed(wanted: Iterable[str], allowed: Iterable[str]) -> None:
    """Refuse what the client is not registered for.

    Raises:
        OAuthRefused: naming it.
    """
    extra = sorted(set(wanted) - set(allowed))
    if extra:
        raise OAuthRefused(Code.INVALID_SCOPE, f"The client may not ask for {extra[0]}")


def effective_scopes(wanted: Iterable[str], permissions: Iterable[str]) -> tuple[str, ...]:
    """Those of *wanted* that mean something for somebody who has *permissions*."""
    held = frozenset(permissions)
    return tuple(scope for scope in wanted if scope in IDENTITY_SCOPES or scope in held)


def narrowed(permissions: Iterable[str], scopes: Iterable[str]) -> tuple[str, ...]:
    """The permissions that a token with *scopes* has of somebody's *permissions*, sorted."""
    return tuple(sorted(frozenset(permissions) & frozenset(scopes)))


def described(scope: str) -> str:
    """What granting *scope* means, for the user who is asked."""
    if scope in _IDENTITY:
        return _IDENTITY[scope]
    resource, _, action = scope.partition(":")
    verb = _ACTIONS.get(action, action.replace("-", " ").capitalize())
    return f"{verb} {_RESOURCES.get(resource, resource.replace('-', ' '))}"
