"""What readers wait at, so that they see all that was committed before they came: by any process, alive or not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterable
from contextlib import asynccontextmanager

from workflow_service.adapters.mongo.deriving import Derivation
from workflow_service.adapters.mongo.entries import TakenKey
from workflow_service.adapters.mongo.folding import INSERT, Write
from workflow_service.adapters.mongo.following import Follower
from workflow_service.adapters.mongo.holding import has_ended, wake_of
from workflow_service.adapters.mongo.known import Known, Undone


class Barrier:
    """Sees that what stands in the log is derived.

    Args:
        node: this process.
        known: what it knows of the log.
        follower: reads what others add.
        deriving: carries out what this process adds.
        adding: held while this process adds to the log.
    """

    def __init__(
        self,
        node: str,
        known: Known,
        follower: Follower,
        deriving: Derivation,
        adding: asyncio.Lock,
    ) -> None:
        self._node = node
        self._known = known
        self._follower = follower
        self._deriving = deriving
        self._adding = adding

    @property
    def settled(self) -> int:
        """Position up to which everything is known to be derived."""
        return self._known.settled[0] - 1

    @property
    def wake(self) -> int | None:
        """The earliest time at which what this process has added, and is not derived, has an execution woken."""
        wakes = (wake_of(change) for change in self._deriving.changes)
        return min((at for at in wakes if at is not None), default=None)

    @asynccontextmanager
    async def begun(self, tenant: str) -> AsyncIterator[int | None]:
        """Let nothing be derived, and tell how many open executions of *tenant* only this process knows; None: ask after a ``flush``."""
        async with self._deriving.writing:
            yield _begun(self._deriving.changes, tenant)

    async def settle(self) -> None:
        """See that everything that the log says now is derived, whoever wrote it and is gone.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        await self._follower.catch_up()
        to = self._known.last
        await self._derived(lambda: self._known.undone(to))

    async def derive(self, execution: str) -> None:
        """See that everything that the log says now of *execution* is derived.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        await self._follower.catch_up()
        to = self._known.last or 0
        await self._derived(
            lambda: [each for each in self._known.touching([execution]) if each.place <= to]
        )

    async def flush(self) -> None:
        """See that everything that this process has put into the log is derived.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        await self._deriving.flush()

    async def claim(self, key: str) -> TakenKey | None:
        """Return what an idempotency key stands for, if that may not be derived yet.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        await self._follower.catch_up()
        return self._known.claim(key)

    async def arrived(self) -> int:
        """Return the position of the last event in the intake.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        await self._follower.catch_up()
        return self._known.intake

    async def arrivals(self, after: int) -> bool:
        """See that what the log says now of the intake is derived, and all before it; whether it goes beyond *after*.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        if await self.arrived() <= after:
            return False
        to = self._known.intake_grew
        await self._derived(lambda: self._known.undone(to))
        return True

    async def in_order(self, executions: Collection[str]) -> None:
        """See that what others have changed of *executions* is derived, and what we wrote without hearing of it.

        For use by whoever holds *adding*.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        await self._regained()
        if any(each.node != self._node for each in self._known.touching(executions)):
            await self._follower.others_done(lambda: self._known.touching(executions))
            await self._regained()

    async def _derived(self, which: Callable[[], Iterable[Undone]]) -> None:
        while undone := list(which()):
            mine = [each.place for each in undone if each.node == self._node]
            if mine and all(map(self._deriving.has, mine)):
                await self._deriving.until(mine[-1])
            elif mine:
                async with self._adding:  # what is just being added will have been added then
                    await self._regained()
            await self._follower.others_done(which)

    async def _regained(self) -> None:
        """Derive what this process has added, although the store gave no answer then."""
        mine = (each.place for each in self._known.undone() if each.node == self._node)
        if not all(map(self._deriving.has, mine)):
            await self._deriving.flush()
            await self._follower.finish(self._node)


def _begun(changes: Iterable[Write], tenant: str) -> int | None:
    """Count those that begin and have not ended; None: one ends that began before."""
    begun: set[str] = set()
    for write in changes:
        kind, document, _ = write
        name = document["_id"]
        if not has_ended(write):
            if kind == INSERT and document["tenant"] == tenant:
                begun.add(name)
        elif kind != INSERT:
            if name not in begun:
                return None
            begun.discard(name)
    return len(begun)
