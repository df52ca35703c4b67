"""One scenario: somebody's executions under load while things break; then everybody is asked what happened."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from autoworker.errors import Conflict
from tests.chaos import ledger
from tests.chaos.checker import Anomaly, anomalies
from tests.chaos.load import AWAY, PAY, Load, all_ended, observed
from tests.cluster.deployment import Deployment, deployed
from tests.cluster.log import Log, log_anomalies, read_log
from tests.cluster.visitor import Tally, Visitor
from tests.support.gateway_client import PASSWORD
from tests.support.ports import free_port

COUNTS: Final = {"gateway": 3, "auth": 2, "workflow": 3, "notification": 2}
"""How many processes of each service there are."""
WORKERS: Final = 2
PAUSE: Final = 0.5
SECONDS: Final = 0.6
"""How long the first call of each execution takes: most of them are under way when something breaks."""
AT_LEAST: Final = 0.8
"""The share of operations that succeed, whatever breaks."""
DERIVED: Final = 30.0
"""Seconds within which the store agrees with its log."""
SETTLED: Final = 120.0
"""Seconds after the last fault within which everything has ended."""


@dataclass(slots=True)
class Outcome:
    """What a scenario came to."""

    tally: Tally
    executions: int
    effects: int
    repeated: int
    settled: float
    takeovers: int
    """Of all executions until now."""

    def __str__(self) -> str:
        return (
            f"{self.tally}; {self.executions} executions, {self.effects} effects ({self.repeated} repeated),"
            f" all ended {self.settled:.1f} s after the load, {self.takeovers} takeovers so far"
        )


@dataclass(slots=True)
class Stage:
    """Where scenarios play, one after the other."""

    deployment: Deployment
    ledger: Path
    """What the foreign service writes down."""
    port: int
    """Where it is."""
    known: set[str] = field(default_factory=set)
    """Executions of earlier scenarios."""
    plays: int = 0


@dataclass(slots=True)
class Play:
    """One scenario on its stage."""

    stage: Stage
    visitor: Visitor
    load: Load

    @asynccontextmanager
    async def under_load(self) -> AsyncIterator[Load]:
        """Operations while the block lasts."""
        async with self.load.running(), asyncio.TaskGroup() as group:
            looking = group.create_task(_look_around(self))
            try:
                yield self.load
            finally:
                looking.cancel()

    async def judged(self) -> Outcome:
        """What it came to, after everything is well again.

        Raises:
            AssertionError: a promise was broken.
        """
        tally = Tally()
        tally.add(self.visitor.tally)
        await self.stage.deployment.whole()
        await self.load.again()
        settled = await all_ended(self.visitor, SETTLED)
        served = [
            line
            for line in ledger.served(self.stage.ledger)
            if line.execution not in self.stage.known
        ]
        run = await observed(self.visitor, self.load, served, inbox=True)
        _nothing(anomalies(run))
        log = await self._derived_log()
        _nothing(log_anomalies(log))
        keys = {line.key for line in run.ledger}
        return Outcome(
            tally,
            len(run.traces),
            len(run.ledger),
            len(run.ledger) - len(keys),
            settled,
            log.takeovers,
        )

    async def _derived_log(self) -> Log:
        """The log, once what follows from its last entries is written, too: that comes a moment later."""
        until = time.monotonic() + DERIVED
        while True:
            log = await read_log(self.stage.deployment.servers.urls["store"])
            if not log_anomalies(log) or time.monotonic() > until:
                return log
            await asyncio.sleep(0.2)


@asynccontextmanager
async def staged(folder: Path, counts: Mapping[str, int] = COUNTS) -> AsyncIterator[Stage]:
    """A cluster of so many processes of each service, and the foreign service that its workflows call."""
    port = free_port()
    allowed = {"AUTOWORKER_EGRESS_ALLOW": f"127.0.0.1:{port}"}
    with ledger.running(folder, port) as file:
        async with deployed(folder, counts, **allowed) as deployment:
            yield Stage(deployment, file, port)


def told(seed: int, what: str, done: Mapping[str, int], outcome: Outcome) -> None:
    """Print what was measured, which is not asserted where it depends on the machine."""
    faults = ", ".join(f"{fault} {count}x" for fault, count in sorted(done.items()))
    print(f"\n{what} (seed {seed}): {faults}\n  {outcome}")  # noqa: T201


@asynccontextmanager
async def played(stage: Stage) -> AsyncIterator[Play]:
    """Somebody new every time, so that it can be told apart."""
    stage.plays += 1
    stage.known |= {line.execution for line in ledger.served(stage.ledger)}
    email = f"player-{stage.plays}@example.com"
    async with Visitor(stage.deployment.gateways, email) as visitor:
        with suppress(Conflict):  # it asks again when the first answer takes too long
            await visitor.register(email, PASSWORD, "Player")
        await visitor.publish(PAY.replace("PORT", str(stage.port)))
        yield Play(stage, visitor, Load(visitor, workers=WORKERS, pause=PAUSE, seconds=SECONDS))


def _nothing(found: Sequence[Anomaly]) -> None:
    if found:
        raise AssertionError("\n".join(map(str, found[:20])))


async def _look_around(play: Play) -> None:
    """Do what people do beside starting things: log in, look at executions, histories and notifications."""
    person, load = play.visitor, play.load
    while True:
        for ask in (_log_in, _look_at_newest, _look_at_list, _look_at_inbox):
            try:
                await ask(person, load)
            except AWAY:
                continue
            await asyncio.sleep(PAUSE)


async def _log_in(person: Visitor, _: Load) -> None:
    await person.login(person.email, PASSWORD)


async def _look_at_newest(person: Visitor, load: Load) -> None:
    if load.accepted:
        newest = next(reversed(load.accepted.values()))[-1]
        assert (await person.get(newest)).id == newest
        assert [event.type async for event in person.history(newest)]


async def _look_at_list(person: Visitor, _: Load) -> None:
    async for execution in person.list(status="faulted"):
        assert execution.status == "faulted"


async def _look_at_inbox(person: Visitor, _: Load) -> None:
    async for note in person.notifications():
        assert note.title
