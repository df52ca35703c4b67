"""How those who wait for the end of a log, or for a mail, learn that there is more."""

import asyncio
import contextlib


class Tide:
    """The highest position that this process has seen committed."""

    def __init__(self) -> None:
        self._level = 0
        self._risen = asyncio.Event()

    @property
    def level(self) -> int:
        """That position."""
        return self._level

    def rise(self, level: int) -> None:
        """Let everybody go on who waits for something above a lower level."""
        if level > self._level:
            self._level = level
            self._risen.set()
            self._risen = asyncio.Event()

    async def above(self, level: int, *, seconds: float) -> None:
        """Until there is something above *level*, and at most *seconds*.

        The limit is for what another process writes, and for a writer who was cancelled between
        its commit and `rise`.
        """
        try:
            async with asyncio.timeout(seconds):
                while self._level <= level:
                    await self._risen.wait()
        except TimeoutError:
            return


class MailBell:
    """Remembers that somebody put a mail in until the relay has looked."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """There is one more."""
        self._rung.set()

    async def heard(self, seconds: float) -> None:
        """Until it has rung since the last time; at most *seconds*."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._rung.wait()
        self._rung.clear()
