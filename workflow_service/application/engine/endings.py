"""Who waits in this process for the end of an execution."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

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

    @property
    def expected(self) -> list[str]:
        """The executions whose end somebody waits for."""
        return list(self._waiting)

    @contextmanager
    def expecting(self, execution: str) -> Iterator[asyncio.Future[Summary]]:
        """Inside, the end of *execution* is awaited for as long as it takes: it resolves the future."""
        waiter = self.expect(execution)
        try:
            yield waiter
        finally:
            self._leave(execution, cast("asyncio.Future[Summary | None]", waiter))

    def expect(self, execution: str) -> asyncio.Future[Summary]:
        """Return what the end of *execution* resolves, however long that takes."""
        waiter: asyncio.Future[Summary | None] = asyncio.get_running_loop().create_future()
        self._waiting[execution].append(waiter)
        return cast("asyncio.Future[Summary]", waiter)  # since it has no patience that could end

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
