"""Who waits in this process for the end of an execution."""

from __future__ import annotations

import asyncio
from collections import defaultdict

from workflow_service.application.ports import Summary


class Endings:
    """Hands the final summary to all who wait for it. Another process's commits are not heard here."""

    def __init__(self) -> None:
        self._waiting: defaultdict[str, list[asyncio.Future[Summary | None]]] = defaultdict(list)

    def ended(self, execution: str, summary: Summary) -> None:
        """Say that *execution* has ended."""
        for waiter in self._waiting.pop(execution, ()):
            if not waiter.done():
                waiter.set_result(summary)

    async def wait(self, execution: str, seconds: float) -> Summary | None:
        """Return the final summary, or None when it did not come within *seconds*."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[Summary | None] = loop.create_future()
        self._waiting[execution].append(waiter)
        patience = loop.call_later(seconds, _give_up, waiter)
        try:
            return await waiter
        finally:
            patience.cancel()
            self._leave(execution, waiter)

    def _leave(self, execution: str, waiter: asyncio.Future[Summary | None]) -> None:
        waiters = self._waiting.get(execution)
        if waiters is None:
            return
        if waiter in waiters:
            waiters.remove(waiter)
        if not waiters:
            del self._waiting[execution]


def _give_up(waiter: asyncio.Future[Summary | None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
