"""Ring when the log or the intake has grown, for those who read them, here or in other processes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

LINGER: Final = 0.02
"""Seconds."""


class LogBell:
    """Wakes whoever waits for the next commit; for use within one event loop."""

    def __init__(self, others: Callable[[], None] = lambda: None) -> None:
        self._rung = asyncio.Event()
        self._others = others

    def ring(self) -> None:
        """Say that there is more in the log, to other processes as well."""
        self._rung.set()
        self._others()

    def heard(self) -> None:
        """Another process says that there is more."""
        self._rung.set()

    async def wait(self, timeout: float) -> None:
        """Return soon after the next ring, or one since the last wait, or after *timeout* seconds.

        Rings within ``LINGER`` are answered together: reading the log once for each commit would cost
        more than the commits.
        """
        try:
            async with asyncio.timeout(timeout):
                await self._rung.wait()
        except TimeoutError:
            return
        await asyncio.sleep(LINGER)
        self._rung.clear()


class IntakeBell:
    """Tells readers in the same process how far the intake has grown; for use within one event loop."""

    def __init__(self, others: Callable[[], None] = lambda: None) -> None:
        self._grown = asyncio.Event()
        self._others = others

    def ring(self) -> None:
        """Say that there is more, to other processes as well."""
        self.heard()
        self._others()

    def heard(self) -> None:
        """Another process says that there is more."""
        self._grown.set()
        self._grown = asyncio.Event()

    @property
    def next(self) -> asyncio.Event:
        """What is set by the next ring."""
        return self._grown


@dataclass(frozen=True, slots=True)
class Bells:
    """Those of one store."""

    log: LogBell = field(default_factory=LogBell)
    intake: IntakeBell = field(default_factory=IntakeBell)
