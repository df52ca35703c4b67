"""Who may call a method."""

from dataclasses import dataclass
from typing import TypeAlias

from chassis.errors import PermissionDenied, Unauthenticated
from chassis.rpc.context import Principal


@dataclass(frozen=True, slots=True)
class AnyUser:
    """Every user who is signed in; the method looks at the rest itself."""


@dataclass(frozen=True, slots=True)
class ServiceOnly:
    """The named services with their own token; no names means every service of the suite."""

    names: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Whoever one of *guards* lets in."""

    guards: tuple["Guard", ...]


Guard: TypeAlias = str | AnyUser | ServiceOnly | AnyOf
"""A permission that a user must hold (`executions:read`), or one of the classes above."""


def admits(guard: Guard, principal: Principal) -> bool:
    """Whether *guard* lets *principal* in."""
    match guard:
        case str():
            return principal.kind == "user" and principal.may(guard)
        case AnyUser():
            return principal.kind == "user"
        case ServiceOnly(names):
            return principal.kind == "service" and (not names or principal.id in names)
        case AnyOf(guards):
            return any(admits(each, principal) for each in guards)


def check(guard: Guard, principal: Principal) -> str:
    """Refuse *principal* unless *guard* lets it in; the permission by which it was, "" for none.

    Raises:
        Unauthenticated: it is the wrong sort of caller: another kind of token is needed.
        PermissionDenied: it is the right sort, but may not.
    """
    if admits(guard, principal):
        return _permission(guard, principal)
    if principal.kind == "service" and not _for_services(guard):
        raise Unauthenticated("a user's token is needed")
    raise PermissionDenied("you may not do this")


def _permission(guard: Guard, principal: Principal) -> str:
    match guard:
        case str():
            return guard
        case AnyOf(guards):
            admitting = next(each for each in guards if admits(each, principal))
            return _permission(admitting, principal)
        case ServiceOnly() | AnyUser():
            return ""


def _for_services(guard: Guard) -> bool:
    match guard:
        case ServiceOnly():
            return True
        case AnyOf(guards):
            return any(_for_services(each) for each in guards)
        case str() | AnyUser():
            return False
