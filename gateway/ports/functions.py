"""Functions that workflows call, and the workers that serve them."""

from datetime import datetime
from typing import Protocol

from msgspec import Raw, Struct

from gateway.ports.common import Caller, Page, PageRequest


class Function(Struct, frozen=True):
    """A function that workflows may call; null schemas take or give anything."""

    name: str
    version: str
    kind: str
    """``in-process`` or ``worker``."""
    input_schema: Raw
    output_schema: Raw
    connected_workers: int
    last_seen_at: datetime | None
    """When a worker was last there to serve it; null for those in process."""


class WorkerToken(Struct, frozen=True):
    """What a worker connects with, and where; ``expires_in`` is in seconds."""

    token: str
    expires_in: int
    address: str


class Functions(Protocol):
    """Functions of one's own."""

    async def functions(self, caller: Caller, page: PageRequest) -> Page[Function]:
        """Those that serve the caller's executions, by name and version."""

    async def worker_token(self, caller: Caller) -> WorkerToken:
        """A token for workers of the caller, good for connecting workers only."""
