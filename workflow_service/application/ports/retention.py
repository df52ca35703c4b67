"""The end of what is old."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Retention(Protocol):
    """Deletes what is old, some at a time: each method is called until it returns 0.

    Nothing is deleted that the relay has not published yet.
    """

    async def forget_ended(self, before: datetime, limit: int) -> int:
        """Make up to *limit* executions that ended before *before* unfindable; ``purge`` deletes their histories."""
        ...

    async def purge(self, limit: int) -> int:
        """Delete up to *limit* pieces of the histories of what was forgotten, also by an earlier process."""
        ...

    async def drop_keys(self, now: datetime, limit: int) -> int:
        """Delete up to *limit* idempotency keys that have expired."""
        ...

    async def drop_inbound(self, before: datetime, limit: int) -> int:
        """Delete events from outside that came before *before*; one that is sent again then counts as new."""
        ...

    async def compact(self, pages: int) -> int:
        """Give unused room back, in up to *pages* pieces; return how many that were."""
        ...
