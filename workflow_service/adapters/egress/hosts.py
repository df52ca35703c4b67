"""How many calls one host gets at a time."""

import asyncio
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager


class HostGates:
    """A gate per host, kept only while somebody is at it.

    The one place that sees every call begin and end, per host: a circuit breaker belongs here.
    """

    def __init__(self, concurrency: int) -> None:
        self._concurrency = concurrency
        self._gates: dict[Hashable, tuple[asyncio.Semaphore, int]] = {}

    @asynccontextmanager
    async def passing(self, host: Hashable) -> AsyncIterator[None]:
        """Wait for a free place at *host* and hold it."""
        gate, visitors = self._gates.get(host) or (asyncio.Semaphore(self._concurrency), 0)
        self._gates[host] = gate, visitors + 1
        try:
            async with gate:
                yield
        finally:
            gate, visitors = self._gates[host]
            if visitors == 1:
                del self._gates[host]
            else:
                self._gates[host] = gate, visitors - 1
