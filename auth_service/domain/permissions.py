"""Roles, and the `resource:action` permissions they give."""

from collections.abc import Iterable
from enum import StrEnum


class Role(StrEnum):
    """What a user is in the tenant."""

    ADMIN = "admin"
    USER = "user"


_USER = frozenset(
    {
        "workflows:read",
        "workflows:write",
        "executions:read",
        "executions:write",
        "events:write",
        "functions:read",
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
        "executions:read-all",
        "executions:write-all",
        "users:read",
        "users:write",
        "workers:serve-all",
    },
}


def permissions_of(roles: Iterable[Role]) -> tuple[str, ...]:
    """Everything that somebody with *roles* may do, sorted."""
    return tuple(sorted(frozenset[str]().union(*(_PERMISSIONS[role] for role in roles))))
