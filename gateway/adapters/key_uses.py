"""How often API keys are used: counted in memory, told in batches.

Verifying a key never writes. A crash loses the seconds since the last report; a report whose answer
was lost is sent again under the same number, and the auth service counts it once.
"""

import asyncio
from datetime import datetime
from typing import Final

from chassis.clock import Clock
from chassis.errors import ServiceError
from chassis.ids import Ids
from chassis.rpc.client import RpcClient
from chassis.telemetry.logging import get_logger
from gateway.adapters.times import stamp
from protos.auth.v1 import api_keys_pb2 as pb
from protos.auth.v1.api_keys_pb2_grpc import ApiKeyServiceStub

EVERY: Final = 3.0
"""Seconds between two reports."""
_TIMEOUT: Final = 5.0

_log = get_logger("gateway.key_uses")


class CountedKeyUses:
    """Implements the port `KeyUses`.

    Args:
        client: an entered client of the auth service.
        clock: tells when a key was used.
        ids: names this process among all gateways.
        every: seconds between two reports.
    """

    def __init__(self, client: RpcClient, clock: Clock, ids: Ids, *, every: float = EVERY) -> None:
        self._client = client
        self._stub = ApiKeyServiceStub(client.channel)
        self._clock = clock
        self._reporter = ids.new()
        self._every = every
        self._counted: dict[str, tuple[int, datetime]] = {}
        self._report: pb.RecordKeyUsesRequest | None = None
        self._sequence = 0

    def note(self, key_id: str) -> None:
        """See `KeyUses.note`."""
        count, _ = self._counted.get(key_id, (0, None))
        self._counted[key_id] = (count + 1, self._clock.now())

    async def run(self) -> None:
        """Report now and then, for ever."""
        while True:
            await asyncio.sleep(self._every)
            await self.flush()

    async def flush(self) -> None:
        """Report what was counted so far; what cannot be told now is told next time."""
        if self._report is None and self._counted:
            self._sequence += 1
            self._report = self._made()
            self._counted = {}
        if self._report is None:
            return
        try:
            await self._client.call(self._stub.RecordKeyUses, self._report, timeout=_TIMEOUT)
        except ServiceError as exc:
            _log.warning("key_uses_not_told", kind=exc.kind.value, reason=exc.message)
        else:
            self._report = None

    async def finish(self) -> None:
        """Report everything: what could not be told before, and what was counted since."""
        await self.flush()
        await self.flush()

    def _made(self) -> pb.RecordKeyUsesRequest:
        request = pb.RecordKeyUsesRequest(reporter=self._reporter, sequence=self._sequence)
        for key_id, (count, at) in self._counted.items():
            request.uses.add(key_id=key_id, count=count, last_used_at=stamp(at))
        return request
