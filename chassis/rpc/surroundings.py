"""What a guarded method stands on."""

from typing import Protocol

from chassis.audit import SettlingAudit
from chassis.clock import Clock
from chassis.ids import Ids
from chassis.rpc.calls import Calls
from chassis.rpc.context import Principal
from chassis.rpc.decisions import Decisions


class Verifier(Protocol):
    """Tells whom a token stands for."""

    async def verify(self, token: str) -> Principal:
        """Whom *token* stands for.

        Raises:
            TokenRefused: it proves nothing, here and now.
            Unavailable: whatever tells cannot be had.
        """
        ...


class Surroundings(Protocol):
    """What a guarded method needs of its server."""

    clock: Clock
    ids: Ids
    calls: Calls
    audit: SettlingAudit | None
    decisions: Decisions | None
    """Policies that callers must satisfy besides; None: there are none."""
