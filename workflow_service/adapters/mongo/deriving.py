"""What this process has put into the log is carried out behind it: in its order, and much of it at once.

Nobody waits for it but those who read what it changes, and those who add to the log faster than it is derived.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from typing import Final, TypeAlias

from chassis.errors import Unavailable
from chassis.lifecycle import Supervisor
from chassis.storage.jobs import StoreUnavailable
from chassis.storage.mongo import MongoDatabase
from chassis.telemetry import metrics
from chassis.telemetry.logging import get_logger
from workflow_service.adapters.mongo.backlog import AT_ONCE, Backlog
from workflow_service.adapters.mongo.folding import Write
from workflow_service.adapters.mongo.writes import Writes

_log = get_logger("workflow_service.deriving")

BACKLOG: Final = 4_000
"""How many entries may wait to be derived before the log is kept waiting."""
ASKED: Final = 0.025
"""Seconds after which it is looked again whether other processes ask."""
RESTING: Final = 200
"""After how many documents others are told how far it is, although there are more."""
IDLE: Final = 0.05
"""Seconds without a further document after which others are told that everything is derived."""
LEAVING: Final = 3.0
"""Seconds that a process which ends waits for what it has not derived."""
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


class Derivation:
    """Carries out writes, those of one document of the log after those of the other.

    What executions are changed by that go on is held for a while, unless somebody asks for it.

    Args:
        database: where they are made.
        supervisor: runs it.
        done: told of places before which everything is done.
        rest: called when nothing more has come for a moment.
        asked: up to which place others ask for it.
        others: whether there are any.
    """

    def __init__(
        self,
        database: MongoDatabase,
        supervisor: Supervisor,
        *,
        done: Callable[[int], None],
        rest: Callable[[], Awaitable[None]],
        asked: Callable[[], Awaitable[int]],
        others: Callable[[], bool],
    ) -> None:
        self._database = database
        self._supervisor = supervisor
        self._done = done
        self._rest = rest
        self._ask = asked
        self._others = others
        self._backlog = Backlog()
        self._unrested = 0
        self._heard_at = 0.0
        self._asked = 0
        self._leaving = False
        self._running = False
        self.writing = asyncio.Lock()
        """Held while something is written."""
        self._hurry = asyncio.Event()
        self._come = asyncio.Event()
        self._waiting: list[_Waiting] = []

    @property
    def first(self) -> int | None:
        """Place of the first document that is not done; None: there is none."""
        return self._backlog.first

    @property
    def changes(self) -> Iterator[Write]:
        """What is done to executions by what is not done, in its order."""
        return self._backlog.changes

    def has(self, place: int) -> bool:
        """Whether the document at *place* is among those that are to be done."""
        return self._backlog.has(place)

    async def add(self, place: int, writes: Writes, entries: int) -> None:
        """Have the *writes* of the document at *place* done, which has that many *entries*."""
        earlier = self._backlog.add(place, writes, entries, _now(), others=self._others())
        self._come.set()
        if earlier or self._backlog.entries >= AT_ONCE:
            self._hurry.set()
        await self._started()

    async def room(self) -> None:
        """Wait while too much is to be done.

        Raises:
            StoreUnavailable: it cannot be done now.
        """
        while self._backlog.entries > BACKLOG and self.first is not None:
            await self.until(self.first)

    async def flush(self) -> None:
        """Wait until everything that was added is done.

        Raises:
            StoreUnavailable: it cannot be done now.
        """
        if self._backlog.last is not None:
            await self.until(self._backlog.last)

    async def leave(self) -> None:
        """Hold nothing from now on, and wait until everything is done, unless the store fails or takes too long."""
        self._leaving = True
        try:
            async with asyncio.timeout(LEAVING):
                await self.flush()
        except (StoreUnavailable, TimeoutError) as failure:  # others find it in the log
            _log.warning("derivation_left", reason=str(failure))

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
            while failed < ATTEMPTS and (self.first is not None or self._unrested):
                if self._unrested >= RESTING or (self.first is None and await self._idle()):
                    await self._rested()
                elif self.first is not None:
                    await self._due()
                    failed = 0 if await self._some_done() else failed + 1
                    await asyncio.sleep(_PENALTY * failed)
        finally:
            self._running = False
            waiting, self._waiting = self._waiting, []
            _told(waiting, StoreUnavailable("the store is closed"))

    async def _due(self) -> None:
        """Wait until there is something to write: enough of it, old enough, or asked for."""
        await self._hear()
        while not self._pressed() and (left := self._backlog.due - _now()) > 0:
            self._hurry.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(min(left, ASKED) if self._others() else left):
                    _ = await self._hurry.wait()
            await self._hear()

    def _pressed(self) -> bool:
        if self._leaving or self._waiting or self._backlog.entries >= AT_ONCE:
            return True
        return self.first is not None and self.first <= self._asked

    async def _hear(self) -> None:
        """See whether others ask, and tell them at once what has been done already."""
        if not self._others() or _now() < self._heard_at + ASKED:
            return
        self._heard_at = _now()
        with suppress(Unavailable):
            asked = await self._ask()
            if asked > self._asked:
                self._asked = asked
                await self._rested()

    async def _idle(self) -> bool:
        if self._others():
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
        asking, self._waiting = self._waiting, []
        asked = max((self._asked, *(place for place, _ in asking)))
        writes = self._backlog.taken(math.inf if self._leaving else asked, _now())
        try:
            async with self.writing:
                await writes.apply(self._database)
        except Exception as exc:  # noqa: BLE001 - whatever it is, it is tried again, and those who wait are told
            _told(asking, _failure(exc))
            return False
        _DERIVED.child("mongodb").observe(self._backlog.begun)
        done = self._backlog.written()
        self._waiting = [*asking, *self._waiting]
        if done:
            await self._tell(done)
        return True

    async def _tell(self, done: Sequence[int]) -> None:
        """Tell those who wait, here and elsewhere, that documents are *done*."""
        self._unrested += len(done)
        self._done(done[-1] + 1)
        for place, waiting in self._waiting:
            if place <= done[-1] and not waiting.done():
                waiting.set_result(None)
        self._waiting = [each for each in self._waiting if not each[1].done()]
        if done[0] <= self._asked:
            await self._rested()


def _now() -> float:
    return asyncio.get_running_loop().time()


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
