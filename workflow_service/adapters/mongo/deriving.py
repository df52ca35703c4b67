"""What this process has put into the log is carried out behind it: in its order, and much of it at once.

Nobody waits for it but those who read what it changes, and those who add to the log faster than it is derived.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from chassis.errors import Unavailable
from chassis.lifecycle import Supervisor
from chassis.storage.jobs import StoreUnavailable
from chassis.storage.mongo import MongoDatabase
from chassis.telemetry import metrics
from chassis.telemetry.logging import get_logger
from workflow_service.adapters.mongo.writes import Writes

_log = get_logger("workflow_service.deriving")

AT_ONCE: Final = 1_000
"""How many entries of the log are derived together at the most, unless one document has more."""
BACKLOG: Final = 4_000
"""How many entries may wait to be derived before the log is kept waiting."""
GATHER: Final = 0.02
ALONE: Final = 0.2
"""Seconds for which it is left to grow while nobody waits for it, where there are other processes and where there are none: an
execution that soon goes on is then written once."""
RESTING: Final = 200
"""After how many documents others are told how far it is, although there are more."""
IDLE: Final = 0.05
"""Seconds without a further document after which others are told that everything is derived."""
ATTEMPTS: Final = 5
"""How often in a row it is tried before that is left to whoever asks next."""
_PENALTY: Final = 0.1

_DERIVED: Final = metrics.histogram(
    "workflow_store_derived_size",
    "Commits whose changes were written together.",
    ["store"],
    (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000),
)


_Waiting: TypeAlias = tuple[int, asyncio.Future[None]]
"""Somebody who waits until the document at a place is done."""


@dataclass(frozen=True, slots=True)
class _Piece:
    place: int
    writes: Writes
    entries: int


class Derivation:
    """Carries out writes, those of one document of the log after those of the other.

    Args:
        database: where they are made.
        supervisor: runs it.
        done: told of places before which everything is done.
        rest: called when nothing more has come for a moment.
        hurried: whether others wait for that, so that it should be soon.
    """

    def __init__(
        self,
        database: MongoDatabase,
        supervisor: Supervisor,
        *,
        done: Callable[[int], None],
        rest: Callable[[], Awaitable[None]],
        hurried: Callable[[], bool],
    ) -> None:
        self._database = database
        self._supervisor = supervisor
        self._done = done
        self._rest = rest
        self._hurried = hurried
        self._queue: deque[_Piece] = deque()
        self._places: set[int] = set()
        self._entries = 0
        self._unrested = 0
        self._running = False
        self._hurry = asyncio.Event()
        self._come = asyncio.Event()
        self._waiting: list[_Waiting] = []

    @property
    def first(self) -> int | None:
        """Place of the first document that is not done; None: there is none."""
        return self._queue[0].place if self._queue else None

    def has(self, place: int) -> bool:
        """Whether the document at *place* is among those that are to be done."""
        return place in self._places

    async def add(self, place: int, writes: Writes, entries: int) -> None:
        """Have the *writes* of the document at *place* done, which has that many *entries*."""
        self._queue.append(_Piece(place, writes, entries))
        self._places.add(place)
        self._entries += entries
        self._come.set()
        if self._entries >= AT_ONCE:
            self._hurry.set()
        await self._started()

    async def room(self) -> None:
        """Wait while too much is to be done.

        Raises:
            StoreUnavailable: it cannot be done now.
        """
        while self._entries > BACKLOG:
            await self.until(self._queue[0].place)

    async def flush(self) -> None:
        """Wait until everything that was added is done.

        Raises:
            StoreUnavailable: it cannot be done now.
        """
        if self._queue:
            await self.until(self._queue[-1].place)

    async def until(self, place: int) -> None:
        """Wait until the document at *place* is done, which was added and is not.

        Raises:
            StoreUnavailable: it cannot be done now.
        """
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((place, done))
        self._hurry.set()
        await self._started()
        await done

    async def _started(self) -> None:
        if self._running:
            return
        self._running = True
        work = self._run()
        try:
            _ = self._supervisor.spawn("workflow-derivation", work)
        except RuntimeError:  # it is being stopped: then nobody comes later
            await self._run()

    async def _run(self) -> None:
        failed = 0
        try:
            while failed < ATTEMPTS and (self._queue or self._unrested):
                if self._unrested >= RESTING or (not self._queue and await self._idle()):
                    await self._rested()
                elif self._queue:
                    await self._gathered()
                    failed = 0 if await self._some_done() else failed + 1
                    await asyncio.sleep(_PENALTY * failed)
        finally:
            self._running = False
            waiting, self._waiting = self._waiting, []
            _told(waiting, StoreUnavailable("the store is closed"))

    async def _gathered(self) -> None:
        if self._waiting or self._entries >= AT_ONCE:
            return
        self._hurry.clear()
        try:
            async with asyncio.timeout(GATHER if self._hurried() else ALONE):
                _ = await self._hurry.wait()
        except TimeoutError:
            return

    async def _idle(self) -> bool:
        if self._hurried():
            return True
        self._come.clear()
        try:
            async with asyncio.timeout(IDLE):
                return not await self._come.wait()
        except TimeoutError:
            return True

    async def _rested(self) -> None:
        self._unrested = 0
        try:
            await self._rest()
        except Unavailable as failure:  # somebody will do it again, which changes nothing
            _log.warning("derivation_not_told", reason=failure.message)

    async def _some_done(self) -> bool:
        pieces, asking = self._next(), self._waiting
        self._waiting = []
        try:
            await Writes.together([piece.writes for piece in pieces]).apply(self._database)
        except Exception as exc:  # noqa: BLE001 - whatever it is, it is tried again, and those who wait are told
            _told(asking, _failure(exc))
            return False
        entries = sum(piece.entries for piece in pieces)
        _DERIVED.child("mongodb").observe(entries)
        self._entries -= entries
        for _ in pieces:
            self._places.discard(self._queue.popleft().place)
            self._unrested += 1
        self._done(pieces[-1].place + 1)
        self._waiting = [*asking, *self._waiting]
        for place, done in self._waiting:
            if place <= pieces[-1].place and not done.done():
                done.set_result(None)
        self._waiting = [each for each in self._waiting if not each[1].done()]
        return True

    def _next(self) -> list[_Piece]:
        pieces: list[_Piece] = []
        entries = 0
        for piece in self._queue:
            entries += piece.entries
            if pieces and entries > AT_ONCE:
                break
            pieces.append(piece)
        return pieces


def _told(waiting: list[_Waiting], failure: StoreUnavailable) -> None:
    for _, done in waiting:
        if not done.done():
            done.set_exception(failure)


def _failure(exc: Exception) -> StoreUnavailable:
    if isinstance(exc, StoreUnavailable):
        _log.warning("derivation_waits", reason=exc.message)
        return exc
    _log.error("derivation_failed", exc_info=exc)
    failure = StoreUnavailable("the store failed")
    failure.__cause__ = exc
    return failure
