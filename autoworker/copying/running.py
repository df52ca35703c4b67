"""A copy from its beginning to its end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Final, Protocol

from autoworker.copying.places import OpenStore, Place
from autoworker.copying.services import SERVICES
from chassis.clock import Clock
from chassis.errors import CannotStart
from chassis.storage.copying.comparing import Difference, compared
from chassis.storage.copying.copying import admitted, begun, copied, finished, totals_of
from chassis.storage.copying.records import Kind, Note
from chassis.storage.unfinished import DONE

COPYING: Final = "copying"
COMPARING: Final = "comparing"


class Watch(Protocol):
    """Is told how it goes."""

    def begins(self, service: str, phase: str, done: int, total: int) -> None:
        """A phase of a service: so many records of all are done already."""
        ...

    def told(self, service: str, kind: Kind, records: int) -> None:
        """So many more."""
        ...


@dataclass(frozen=True, slots=True)
class Pair:
    """What one service has here and there."""

    service: str
    source: OpenStore
    target: OpenStore | None
    totals: Mapping[str, int]

    @property
    def records(self) -> int:
        """How many the source has."""
        return sum(self.totals.values())

    @property
    def there(self) -> OpenStore:
        """The target, where it is known to be."""
        assert self.target is not None  # noqa: S101 - it was opened as one
        return self.target


@dataclass(slots=True)
class Outcome:
    """What came of it."""

    source: str
    target: str
    records: dict[str, Mapping[str, int]] = field(default_factory=dict)
    """By service and kind."""
    already: dict[str, int] = field(default_factory=dict)
    """How many of them were there from an earlier try, by service."""
    copied_in: float = 0.0
    compared_in: float = 0.0
    """Seconds."""
    different: int = 0
    differences: list[Difference] = field(default_factory=list)
    """Some of them."""

    @property
    def absent(self) -> Sequence[str]:
        """Services that have nothing at the source."""
        return [service for service in SERVICES if service not in self.records]

    @property
    def total(self) -> int:
        """All records."""
        return sum(sum(each.values()) for each in self.records.values())


class Copier:
    """Copies, or compares, the stores of all services at two places.

    Args:
        source: where everything is.
        target: where it is to be.
        watch: told how it goes.
        clock: measures it.
    """

    def __init__(self, source: Place, target: Place, watch: Watch, clock: Clock) -> None:
        self._source = source
        self._target = target
        self._watch = watch
        self._clock = clock

    async def plan(self, *, restart: bool) -> Outcome:
        """What a copy would do; nothing is changed.

        Raises:
            CannotStart: it would be refused.
        """
        outcome = Outcome(self._source.name, self._target.name)
        async with self._pairs(target=False) as pairs:
            await self._admitted(pairs, outcome, restart=restart)
        return outcome

    async def copy(self, *, restart: bool) -> Outcome:
        """Copy what is not there yet, and compare everything.

        Until nothing differs, no service starts on the target.

        Raises:
            CannotStart: a service is at work, the target has something else, or is the whole copy already.
        """
        outcome = Outcome(self._source.name, self._target.name)
        async with self._pairs(target=True) as pairs:
            notes = await self._admitted(pairs, outcome, restart=restart)
            if all(note.state == DONE for note in notes):
                raise CannotStart(
                    f"{self._target.name} has all of it already: --verify-only compares the two"
                )
            started = self._clock.monotonic()
            notes = [await self._begun(*each) for each in zip(pairs, notes, strict=True)]
            for pair, note in zip(pairs, notes, strict=True):
                await self._copied(pair, note)
            outcome.copied_in = self._clock.monotonic() - started
            await self._compare(pairs, outcome)
            await _nobody_came(pairs)
            if not outcome.different:
                for pair in pairs:
                    await finished(pair.there.records)
        return outcome

    async def verify(self) -> Outcome:
        """Compare the two places.

        Raises:
            CannotStart: a service is at work, or there is nothing in one of them.
        """
        outcome = Outcome(self._source.name, self._target.name)
        async with self._pairs(target=False) as pairs:
            for pair in pairs:
                outcome.records[pair.service] = pair.totals
                if pair.target is None:
                    raise CannotStart(f"{self._target.name} has nothing of {pair.service}")
            await self._compare(pairs, outcome)
        return outcome

    @asynccontextmanager
    async def _pairs(self, *, target: bool) -> AsyncIterator[Sequence[Pair]]:
        """All services that the source has, open on both sides and used by nobody else."""
        async with AsyncExitStack() as stack:
            for place in (self._source, self._target):
                stack.enter_context(place.held())
            opened: list[tuple[OpenStore, OpenStore | None]] = []
            for service in SERVICES:
                here = await stack.enter_async_context(self._source.store(service, target=False))
                if here is not None:
                    there = self._target.store(service, target=target)
                    opened.append((here, await stack.enter_async_context(there)))
            if not opened:
                raise CannotStart(f"there is nothing to copy at {self._source.name}")
            stores = [each for both in opened for each in both if each is not None]
            await asyncio.gather(*(each.refuse_company() for each in stores))
            # A new target is left alone: its log has not begun.
            for each in [here for here, _ in opened] if target else stores:
                await each.settle()
            yield [await _pair(*both) for both in opened]

    async def _admitted(
        self, pairs: Sequence[Pair], outcome: Outcome, *, restart: bool
    ) -> list[Note]:
        notes: list[Note] = []
        for pair in pairs:
            outcome.records[pair.service] = pair.totals
            if pair.target is not None:
                target = pair.target.records
                note = await admitted(target, outcome.source, pair.totals, restart=restart)
                outcome.already[pair.service] = sum(note.copied.values())
                notes.append(note)
        return notes

    async def _begun(self, pair: Pair, note: Note) -> Note:
        return note if note.state == DONE else await begun(pair.there.records, note)

    async def _copied(self, pair: Pair, note: Note) -> None:
        if note.state == DONE:
            return
        done = sum(note.copied.values())
        self._watch.begins(pair.service, COPYING, done, pair.records)
        await copied(pair.source.records, pair.there.records, note, self._watch.told)

    async def _compare(self, pairs: Sequence[Pair], outcome: Outcome) -> None:
        started = self._clock.monotonic()
        for pair in pairs:
            source, target = pair.source.records, pair.there.records
            self._watch.begins(pair.service, COMPARING, 0, 2 * pair.records)
            async for each in compared(source, target, self._watch.told):
                outcome.different += each.different
                outcome.differences += each.shown
        outcome.compared_in = self._clock.monotonic() - started


async def _pair(source: OpenStore, target: OpenStore | None) -> Pair:
    return Pair(source.records.service, source, target, await totals_of(source.records))


async def _nobody_came(pairs: Sequence[Pair]) -> None:
    """See that no service has started on a server meanwhile, where nothing keeps it away."""
    stores = [store for pair in pairs for store in (pair.source, pair.there)]
    await asyncio.gather(*(store.refuse_company() for store in stores))
