"""Who is calling, within a call."""

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final, Literal

import msgspec

ADDRESS: Final = "x-client-address"
"""The name under which `Call.address` travels."""


class Principal(msgspec.Struct, frozen=True):
    """Somebody whose token was verified.

    A service has its own name as *id* ("gateway"), no tenant and no permissions; a user has them
    all, and what the token came from: a session, an API key, a client that acts for the user.
    """

    id: str
    tenant: str
    kind: Literal["user", "service"]
    roles: tuple[str, ...] = ()
    permissions: frozenset[str] = frozenset()
    session_id: str | None = None
    key_id: str | None = None
    client_id: str | None = None
    amr: tuple[str, ...] = ()
    """How they proved who they are when they did so last (RFC 8176)."""
    environment: str = "live"
    """What for: "test" when an API key for tests is used."""

    @property
    def mfa(self) -> bool:
        """Whether that was with more than one factor."""
        return "mfa" in self.amr

    def may(self, permission: str) -> bool:
        """Whether the principal holds *permission* (`resource:action`)."""
        return permission in self.permissions

    @classmethod
    def of_claims(cls, claims: Mapping[str, Any]) -> "Principal":
        """The user for whom an internal token with *claims* stands.

        Raises:
            ValueError: they are not those of such a token.
        """
        return cls(
            id=_text(claims["sub"]),
            tenant=_text(claims["tenant"]),
            kind="user",
            roles=tuple(_texts(claims["roles"])),
            permissions=frozenset(_texts(claims["permissions"])),
            session_id=_optional(claims.get("sid")),
            key_id=_optional(claims.get("key_id")),
            client_id=_optional(claims.get("client_id")),
            amr=tuple(_texts(claims.get("amr", []))),
            environment=_text(claims.get("environment", "live")),
        )


@dataclass(frozen=True, slots=True)
class Call:
    """The call that is being served."""

    principal: Principal
    request_id: str
    traceparent: str
    deadline: float | None
    """When the caller stops waiting, in seconds of the monotonic clock; None: never."""
    address: str = ""
    """Where the request first came from; "" when nobody knows."""


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


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("a claim is not a text")
    return value


def _texts(value: object) -> list[str]:
    if not isinstance(value, list):
        raise ValueError("a claim is not a list")
    return [_text(item) for item in value]


def _optional(value: object) -> str | None:
    return None if value is None else _text(value)
