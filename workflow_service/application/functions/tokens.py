"""Who a worker acts for."""

from __future__ import annotations

from typing import Final, Protocol

from chassis.rpc.context import Principal

CONNECT: Final = "workers:connect"
"""Permission to connect workers, which serve one's own executions."""
SERVE_ALL: Final = "workers:serve-all"
"""Permission to connect workers that serve executions of everybody in the tenant, and so see their data."""


class WorkerPrincipal(Principal, frozen=True):
    """The user whom a worker acts for."""

    everybody: bool = False
    """Whether it serves everybody in the tenant."""
    expires: float = 0.0
    """When its token ends, in seconds of the epoch."""


class Tokens(Protocol):
    """Tokens that workers connect with."""

    def issue(self, principal: Principal) -> tuple[str, int]:
        """Return a token for workers of *principal*, and its life in seconds."""
        ...

    async def verify(self, token: str) -> WorkerPrincipal:
        """Whose worker *token* stands for.

        Raises:
            TokenRefused: nobody's, here and now.
        """
        ...
