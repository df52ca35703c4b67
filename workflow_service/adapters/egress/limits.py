"""Bounds of one call, and the time that it has left."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from workflow_service.adapters.egress.errors import EgressTimedOut
from workflow_service.adapters.egress.hosts import GatePolicy


@dataclass(frozen=True, slots=True)
class EgressLimits:
    """Bounds of one call. Times are seconds, sizes bytes."""

    total_timeout: float = 30.0
    connect_timeout: float = 5.0
    max_response_bytes: int = 1024 * 1024
    max_redirects: int = 3
    connections: int = 200
    gate: GatePolicy = field(default_factory=GatePolicy)


class Allowance:
    """Seconds that a call may still take while it is on its way."""

    def __init__(self, seconds: float) -> None:
        self.given = seconds
        self._left = seconds

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        began = time.monotonic()
        try:
            async with asyncio.timeout(self._left):
                yield
        except TimeoutError as exc:
            raise EgressTimedOut(self.given) from exc
        finally:
            self._left -= time.monotonic() - began
