"""Who is calling, within a call."""

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal

import msgspec


class Principal(msgspec.Struct, frozen=True):
    """Somebody whose token was verified.

    A service has its own name as *id* ("gateway"), no tenant and no permissions; a user has them
    all, and the session that the token belongs to.
    """

    id: str
    tenant: str
    kind: Literal["user", "service"]
    roles: tuple[str, ...] = ()
    permissions: frozenset[str] = frozenset()
    session_id: str | None = None

    def may(self, permission: str) -> bool:
        """Whether the principal holds *permission* (`resource:action`)."""
        return permission in self.permissions


@dataclass(frozen=True, slots=True)
class Call:
    """The call that is being served."""

    principal: Principal
    request_id: str
    traceparent: str
    deadline: float | None
    """When the caller stops waiting, in seconds of the monotonic clock; None: never."""


_call: ContextVar[Call | None] = ContextVar("call", default=None)


def current_call() -> Call:
    """The call that is being served here.

    Raises:
        LookupError: outside of any call.
    """
    call = _call.get()
    if call is None:
        raise LookupError("no call is being served here")
    return call


def find_call() -> Call | None:
    """The call that is being served here, if any."""
    return _call.get()


def enter_call(call: Call) -> None:
    """Make *call* the one of the current context (the task of the request, usually)."""
    _call.set(call)
