"""Tells those who watch executions that there is more to see."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

REMEMBERED: Final = 10_000
"""How many executions are remembered, so that a change between looking and waiting is not missed."""


class LocalProgress:
    """The ``Progress`` port within one event loop.

    A change that was forgotten is missed, so whoever waits looks again after a while anyhow.
    """

    def __init__(self, remembered: int = REMEMBERED) -> None:
        self._remembered = remembered
        self._sequences: OrderedDict[str, int] = OrderedDict()
        self._waiting: dict[str, set[asyncio.Future[None]]] = {}

    def changed(self, execution: str, sequence: int, *, ended: bool) -> None:
        """Wake whoever waits for *execution*."""
        self._sequences[execution] = sequence
        self._sequences.move_to_end(execution)
        if len(self._sequences) > self._remembered:
            self._sequences.popitem(last=False)
        for waiter in self._waiting.pop(execution, ()):
            if not waiter.done():
                waiter.set_result(None)

    async def wait(self, execution: str, after: int, timeout: float) -> None:
        """Return when there may be events above *after*, or after *timeout* seconds."""
        if self._sequences.get(execution, 0) > after:
            return
        waiter = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(execution, set()).add(waiter)
        try:
            async with asyncio.timeout(timeout):
                await waiter
        except TimeoutError:
            return
        finally:
            self._forget(execution, waiter)

    def _forget(self, execution: str, waiter: asyncio.Future[None]) -> None:
        waiters = self._waiting.get(execution)
        if waiters is None:
            return
        waiters.discard(waiter)
        if not waiters:
            del self._waiting[execution]


class SharedProgress:
    """The ``Progress`` port over several processes.

    Args:
        local: wakes those who wait here.
        tell: brings a line of text to the other processes, if it can.
    """

    def __init__(self, local: LocalProgress, tell: Callable[[str], None]) -> None:
        self._local = local
        self._tell = tell
        self.ended: Callable[[str], None] = lambda _: None
        """Called with an execution that has ended elsewhere."""

    def changed(self, execution: str, sequence: int, *, ended: bool) -> None:
        """Wake whoever waits for *execution*, here and elsewhere."""
        self._local.changed(execution, sequence, ended=ended)
        self._tell(f"{execution} {sequence} {int(ended)}")

    def heard(self, told: str) -> None:
        """Another process has told of a change."""
        execution, _, rest = told.partition(" ")
        sequence, _, ended = rest.partition(" ")
        if sequence.isdecimal():
            self._local.changed(execution, int(sequence), ended=ended == "1")
        if ended == "1":
            self.ended(execution)

    async def wait(self, execution: str, after: int, timeout: float) -> None:
        """Return when there may be events above *after*, or after *timeout* seconds."""
        await self._local.wait(execution, after, timeout)
