"""From a committed log to the bus: the transactional outbox, read in order.

What a service commits is its log. The relay reads what came after its checkpoint, publishes it, and
only then moves the checkpoint: an event that is committed is published at least once, and in order.
"""

import asyncio
from collections.abc import Sequence
from typing import Final, Protocol

from chassis.errors import Unavailable
from chassis.messaging.port import Bus, CloudEvent
from chassis.messaging.retry import Backoff
from chassis.telemetry.logging import get_logger

_log = get_logger("chassis.messaging.relay")

LINGER: Final = 0.03
"""Seconds until the log is read again after a round that was not full.

A round costs a reading, the consumers' commits and a checkpoint, however little it carries; under load there is always a
little more to carry."""


class EventLog(Protocol):
    """What a service has committed, in order, each entry at a position that only ever grows."""

    async def read_log(self, after: int, limit: int) -> Sequence[tuple[int, CloudEvent]]:
        """The first *limit* entries beyond position *after*, ascending; fewer at the end.

        A position that a reader has passed never gets an entry later.
        """
        ...

    async def load_checkpoint(self, name: str) -> int:
        """What *name* saved last; 0 when it never did."""
        ...

    async def save_checkpoint(self, name: str, position: int) -> None:
        """Remember *position* for *name*, durably."""
        ...

    async def wait_for_log(self, after: int) -> None:
        """Return when there may be entries beyond *after*; it may well be mistaken."""
        ...


class Relay:
    """Publishes a log. One at a time per log and name.

    Args:
        log: what is published.
        bus: where to.
        name: of its checkpoint.
        batch: how many entries are published at once.
        backoff: the pauses after log or bus were unavailable.
        linger: how long the next round may grow when this one was not full, in seconds.
    """

    def __init__(
        self,
        log: EventLog,
        bus: Bus,
        *,
        name: str = "relay",
        batch: int = 200,
        backoff: Backoff | None = None,
        linger: float = LINGER,
    ) -> None:
        self._log = log
        self._bus = bus
        self._name = name
        self._batch = batch
        self._linger = linger
        # A bus that is away has waited by itself before it says so.
        self._backoff = backoff or Backoff(longest=2.0)

    async def run(self) -> None:
        """Publish for ever; pauses while the log or the bus is unavailable."""
        failures = 0
        position: int | None = None
        while True:
            try:
                if position is None:
                    position = await self._log.load_checkpoint(self._name)
                position = await self._advance(position)
                failures = 0
            except Unavailable as exc:
                failures += 1
                pause = self._backoff.pause(failures)
                _log.warning("relay_delayed", relay=self._name, reason=str(exc), pause=pause)
                await asyncio.sleep(pause)

    async def _advance(self, position: int) -> int:
        entries = await self._log.read_log(position, self._batch)
        if not entries:
            await self._log.wait_for_log(position)
            return position
        await self._bus.publish([event for _, event in entries])
        last = entries[-1][0]
        await self._log.save_checkpoint(self._name, last)
        if len(entries) < self._batch:
            await asyncio.sleep(self._linger)
        return last
