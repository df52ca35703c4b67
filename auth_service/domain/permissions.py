"""Roles, and the `resource:action` permissions they give."""

from collections.abc import Iterable
from enum import StrEnum


class Role(StrEnum):
    """What a user is in the tenant."""

    ADMIN = "admin"
    USER = "user"


_USER = frozenset(
    {
        "api-keys:read",
        "api-keys:write",
        "workflows:read",
        "workflows:write",
        "executions:read",
        "executions:write",
        "events:write",
        "factors:write",
        "functions:read",
        "schedules:read",
        "schedules:write",
        "secrets:read",
        "secrets:write",
        "workers:connect",
        "notifications:read",
        "notifications:write",
        "users:self",
    }
)
_PERMISSIONS = {
    Role.USER: _USER,
    Role.ADMIN: _USER
    | {
        "audit:read",
        "dead-letters:read",
        "dead-letters:write",
        "executions:read-all",
        "executions:write-all",
        "oauth-clients:read",
        "oauth-clients:write",
        "policies:read",
        "policies:write",
        "roles:assign",
        "roles:read",
        "roles:write",
        "secrets:share",
        "users:read",
        "users:write",
        "workers:serve-all",
    },
}


PERMISSIONS = _PERMISSIONS[Role.ADMIN]
"""Every permission there is: an administrator holds them all."""


def permissions_of(roles: Iterable[str]) -> tuple[str, ...]:
    """Everything that somebody with the built-in *roles*, as they come, may do, sorted."""
    return tuple(sorted(frozenset[str]().union(*(_PERMISSIONS[Role(role)] for role in roles))))
