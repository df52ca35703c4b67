"""Rings when the log has grown, for those who read it in the same process."""

from __future__ import annotations

import asyncio
from typing import Final

LINGER: Final = 0.02
"""Seconds."""


class LogBell:
    """Wakes whoever waits for the next commit; for use within one event loop."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Say that there is more in the log."""
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
