"""The one call by which everything that matters for security is told."""

from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from typing import Protocol

from chassis.audit.entry import Fact


class Audit(Protocol):
    """Where changes and refusals are told. Names of events are stable; values bear no secrets.

    Facts of every event may be `tenant`, `actor` (id of who did it), `target` (what it was done to),
    `address`, `reason`, `outcome` and `request_id`; all others are the event's own.
    """

    def record(self, event: str, **facts: Fact) -> None:
        """Tell that *event* happened; never blocks.

        What is told within a call of another service is kept before that call is answered.
        """
        ...

    def along(self, event: str, **facts: Fact) -> AbstractContextManager[None]:
        """Tell of *event* in the transaction of the one write that is made inside.

        Nothing is told when that write fails, or says by False that it changed nothing. Where the
        store has no transaction to share, it is told afterwards, unless `nothing_changed` was called.
        """
        ...


unchanged: ContextVar[bool] = ContextVar("audit_unchanged", default=False)


def nothing_changed() -> None:
    """Within `Audit.along`: the write says that it changed nothing, so there is nothing to tell."""
    unchanged.set(True)


class SettlingAudit(Audit, Protocol):
    """An audit that knows when a call begins, and can be waited for at its end."""

    def entered(self, **facts: Fact) -> None:
        """From here on this context serves the caller whom *facts* tell of."""
        ...

    def abandoned(self) -> None:
        """The call of this context was cut off: what it changed without telling is told as that."""
        ...

    async def settled(self) -> None:
        """Wait until the changes that were told in this context are kept.

        Raises:
            ServiceError: they are not, so far.
        """
        ...


class SilentAudit:
    """Implements `SettlingAudit` for those who have nobody to tell."""

    def record(self, event: str, **facts: Fact) -> None:
        """See `Audit.record`."""

    def along(self, event: str, **facts: Fact) -> AbstractContextManager[None]:
        """See `Audit.along`."""
        return nullcontext()

    def entered(self, **facts: Fact) -> None:
        """See `SettlingAudit.entered`."""

    def abandoned(self) -> None:
        """See `SettlingAudit.abandoned`."""

    async def settled(self) -> None:
        """See `SettlingAudit.settled`."""
