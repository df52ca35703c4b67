"""What all ports share: pages, callers, where a request came from."""

from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from typing import Generic, Literal, TypeVar

from msgspec import Raw, Struct

from chassis.rpc.context import Principal

T = TypeVar("T")
Service = Literal["auth", "workflow", "notification"]
NULL = Raw(b"null")


class Page(Struct, Generic[T], frozen=True):
    """One page of a list; ``next_cursor`` is null on the last one."""

    items: list[T]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class PageRequest:
    """How many items at most, and after which cursor (empty: from the start)."""

    limit: int
    cursor: str


@dataclass(frozen=True, slots=True)
class KeyTerms:
    """What the holder of an API key is bound to."""

    rate_limit: int | None
    """Requests per minute; None: as many as its owner."""
    allowed_ips: tuple[IPv4Network | IPv6Network, ...]
    """Where it may be used from; none means everywhere."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, and the short-lived internal token that proves it to one service."""

    principal: Principal
    credential: str
    key: KeyTerms | None = None
    """Set when it is by an API key that they call."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from: for throttling, audit and lists of sessions."""

    address: str
    user_agent: str


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What shows that it is the caller, when the session alone does not."""

    origin: Origin
    password: str = field(default="", repr=False)
    """Empty when it was not given."""
