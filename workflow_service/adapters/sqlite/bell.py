"""Rings when the log has grown, for those who read it in the same process."""

from __future__ import annotations

import asyncio


class LogBell:
    """Wakes whoever waits for the next commit; for use within one event loop."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Say that there is more in the log."""
        self._rung.set()

    async def wait(self, timeout: float) -> None:
        """Return at the next ring, or when one has come since the last wait, or after *timeout* seconds."""
        try:
            async with asyncio.timeout(timeout):
                await self._rung.wait()
        except TimeoutError:
            return
        self._rung.clear()
