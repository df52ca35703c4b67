"""Secrets of workflows: values go in, and never out."""

from datetime import datetime
from typing import Protocol

from msgspec import Raw, Struct

from gateway.ports.common import Caller, Page, PageRequest


class Secret(Struct, frozen=True):
    """All that is ever told of a secret."""

    name: str
    version: int
    """Counts the values that it has had."""
    shared: bool
    """Whether it is the whole tenant's and not the caller's own."""
    updated_at: datetime | None
    updated_by: str


class Secrets(Protocol):
    """Secrets that the caller's executions may use."""

    async def put_secret(self, caller: Caller, name: str, value: Raw, *, shared: bool) -> Secret:
        """Set a secret, the tenant's when it is *shared*."""

    async def secret(self, caller: Caller, name: str) -> Secret:
        """The one that the caller's executions know as *name*."""

    async def secrets(self, caller: Caller, page: PageRequest) -> Page[Secret]:
        """All of them, by name."""

    async def delete_secret(self, caller: Caller, name: str, *, shared: bool) -> None:
        """Forget a secret, the tenant's when it is *shared*."""
