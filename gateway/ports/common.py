"""What all ports share: pages, callers, where a request came from."""

from dataclasses import dataclass
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
class Caller:
    """Who calls, and the short-lived internal token that proves it to one service."""

    principal: Principal
    credential: str


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from: for throttling, audit and lists of sessions."""

    address: str
    user_agent: str
