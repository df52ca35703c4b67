"""Rounds of faults for as long as one likes, with what the processes hold meanwhile.

Rounds of a minute: faults at random, two at a time in every second round; every fifth round restarts each process in turn, and
then no operation may fail. After each round everybody is asked what happened. In long runs the first process of each service is never
killed or restarted, only cut off and frozen: what leaks shows in those that live on.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from tests.chaos.load import Load
from tests.cluster.deployment import Member
from tests.cluster.faults import Nemesis
from tests.cluster.scenario import AT_LEAST, Outcome, Play, Stage, played, told
from tests.cluster.stored import Stored, count
from tests.cluster.visitor import Tally
from tests.cluster.vitals import Vitals, watch

ROUND: Final = 45.0
"""Seconds of faults; what they did is judged after them."""
ROLLING: Final = 5
"""Every such round is a rolling restart."""
LONG: Final = 12.0
"""Minutes from which on a run has processes that live through all of it."""
REPORT: Final = 60.0
"""Seconds between two reports."""


@dataclass(slots=True)
class Soak:
    """One run, and what it came to until now."""

    stage: Stage
    chance: random.Random
    seed: int
    minutes: float
    broken: Counter[str] = field(default_factory=Counter)
    outcomes: list[Outcome] = field(default_factory=list)
    anomalies: list[str] = field(default_factory=list)
    """Promises that were broken; the first one ends it."""
    vitals: Vitals = field(default_factory=Vitals)
    stored: Stored = field(default_factory=Stored)
    began: float = field(default_factory=time.monotonic)
    _playing: Play | None = None
    _nemesis: Nemesis | None = None

    async def run(self) -> None:
        """Play until the time is up or a promise is broken."""
        async with asyncio.TaskGroup() as beside:
            aside = [
                beside.create_task(watch(self.vitals, self._pids)),
                beside.create_task(self._report()),
            ]
            try:
                while self.passed < self.minutes * 60:
                    await self._round()
            except* AssertionError as broken:
                self.anomalies += map(str, _leaves(broken))
            finally:
                for task in aside:
                    task.cancel()
        self.anomalies += [*self.vitals.growing(), *self.stored.growing()]

    @property
    def passed(self) -> float:
        """Seconds."""
        return time.monotonic() - self.began

    @property
    def tally(self) -> Tally:
        """Of all operations until now."""
        tally = Tally()
        for outcome in self.outcomes:
            tally.add(outcome.tally)
        if self._playing is not None:
            tally.add(self._playing.visitor.tally)
        return tally

    @property
    def faults(self) -> Counter[str]:
        """All until now."""
        return self.broken + (self._nemesis.done if self._nemesis is not None else Counter())

    @property
    def spared(self) -> list[Member]:
        """Those that live through all of it."""
        deployment = self.stage.deployment
        first = {member.service: member for member in reversed(deployment.members)}
        return list(first.values()) if self.minutes >= LONG else []

    async def _round(self) -> None:
        self._nemesis = nemesis = Nemesis(self.stage.deployment, self.chance, spared=self.spared)
        number = len(self.outcomes) + 1
        rolls = number % ROLLING == 0
        async with played(self.stage) as self._playing:
            async with self._playing.under_load() as load:
                await (nemesis.roll_all() if rolls else _struck(nemesis, load, 2 - number % 2))
            outcome = await self._playing.judged()
        self._playing = self._nemesis = None
        self.outcomes.append(outcome)
        self.broken += nemesis.done
        told(self.seed, f"round {number}", nemesis.done, outcome)
        if outcome.tally.share < (1.0 if rolls else AT_LEAST):
            raise AssertionError(f"only {100 * outcome.tally.share:.1f} % of operations succeeded")
        executions = sum(each.executions for each in self.outcomes)
        store = self.stage.deployment.servers.urls["store"]
        self.stored.counts.append(await count(store, executions))

    def _pids(self) -> dict[str, int]:
        return {each.name: each.process.pid for each in self.stage.deployment.members}

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(REPORT)
            print(self._told(), flush=True)  # noqa: T201

    def _told(self) -> str:
        held = ", ".join(
            f"{name} {now.resident:.0f} MiB {now.files} files {now.threads} threads"
            for name, now in self.vitals.latest().items()
        )
        return (
            f"{self.passed / 60:.1f} min: {self.tally}; {self.faults.total()} faults,"
            f" {len(self.anomalies)} anomalies\n  {held}"
        )


def _leaves(group: BaseExceptionGroup[AssertionError]) -> Iterator[BaseException]:
    """What failed, out of however many groups."""
    for each in group.exceptions:
        if isinstance(each, BaseExceptionGroup):
            yield from _leaves(each)
        else:
            yield each


async def _struck(nemesis: Nemesis, load: Load, at_once: int) -> None:
    """Break so many things at the same time, again and again."""
    until = time.monotonic() + ROUND
    while time.monotonic() < until:
        await load.progress(5, 120.0)
        for what in await asyncio.gather(*(nemesis.strike() for _ in range(at_once))):
            print(f"  {what}", flush=True)  # noqa: T201
