"""The suite under load is killed and frozen, again and again; then everybody is asked what happened.

`make chaos MINUTES=…` does it for longer; recovery times are printed (`-s`).
"""

import asyncio
import os
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from autoworker.errors import AutoworkerError
from tests.chaos import ledger
from tests.chaos.checker import Run, anomalies
from tests.chaos.load import PATIENCE, PAY, Load, all_ended, insisting, observed
from tests.chaos.processes import (
    Cluster,
    Process,
    four_processes,
    one_process,
    started,
)
from tests.chaos.store import store_anomalies
from tests.support.gateway_client import PASSWORD, Person
from tests.support.ports import free_port

MINUTES: Final = float(os.environ.get("CHAOS_MINUTES", "0"))
SEED: Final = int(os.environ.get("CHAOS_SEED", "0")) or random.randrange(1, 1_000_000)
RECOVERY: Final = PATIENCE
"""Seconds from the end of a fault to the first start that is answered."""


class Nemesis:
    """Breaks one process after the other, and measures how long that is felt."""

    def __init__(self, cluster: Cluster, load: Load) -> None:
        self._cluster = cluster
        self._load = load
        self._chance = random.Random(SEED)
        self.recoveries: list[float] = []
        self.done: list[str] = []

    async def strike(self, fault: str) -> None:
        """Break something while there is work, and wait until starts are answered again."""
        await self._load.progress(self._chance.randint(20, 80))
        victim = self._victim()
        self.done.append(f"{fault} {victim.name}")
        over = time.monotonic()
        match fault:
            case "kill":
                victim.kill()
                victim.start()
            case "double kill":
                victim.kill()
                victim.start()
                # Somewhere on its way up.
                await asyncio.sleep(self._chance.uniform(0.05, 1.5))
                victim.kill()
                victim.start()
                over = time.monotonic()
            case _:
                victim.freeze()
                await asyncio.sleep(self._chance.uniform(0.2, 1.0))
                victim.thaw()
                over = time.monotonic()
        self.recoveries.append(await self._load.answered(over))

    def _victim(self) -> Process:
        """Every process gets its turn, those that hold the work twice."""
        important = [p for p in self._cluster.processes if p.name in ("workflow", "gateway")]
        order = [*important, *self._cluster.processes]
        return order[len(self.done) % len(order)]

    def report(self) -> str:
        """What was done, and the recovery times."""
        times = sorted(self.recoveries)
        middle = times[len(times) // 2]
        return (
            f"seed {SEED}: {len(self.done)} faults; first answer after {middle:.2f} s (median),"
            f" {times[-1]:.2f} s (worst)"
        )


@pytest.mark.timeout(MINUTES * 60 + 400)
@pytest.mark.parametrize(
    ("deployed", "faults"),
    [
        (one_process, ["kill", "freeze", "kill", "double kill", "freeze", "kill"]),
        (four_processes, ["kill", "kill", "freeze", "double kill", "kill", "kill"]),
    ],
)
async def test_nothing_accepted_is_lost_or_done_twice(
    deployed: Callable[..., Cluster], faults: list[str], tmp_path: Path
) -> None:
    port = free_port()
    until = time.monotonic() + MINUTES * 30
    whole = deployed is one_process
    cluster = deployed(tmp_path, AUTOWORKER_EGRESS_ALLOW=f"127.0.0.1:{port}")
    with ledger.running(tmp_path, port) as file, started(cluster):
        await cluster.is_ready()
        async with Person(cluster.url, "chaos@example.com") as person:
            await _registered(person)
            await insisting(person, PAY.replace("PORT", str(port)))
            load = Load(person, workers=12)
            nemesis = Nemesis(cluster, load)
            async with load.running():
                await load.progress(20)
                for fault in faults:
                    await nemesis.strike(fault)
                while time.monotonic() < until:
                    await nemesis.strike(random.Random(len(nemesis.done)).choice(faults))
            await load.again()
            settled = await all_ended(person)
            run = await observed(person, load, ledger.served(file), inbox=whole)
    # Printed, not asserted: it depends on the machine.
    print(  # noqa: T201
        f"\n{deployed.__name__}: {nemesis.report()}; {len(run.traces)} executions,"
        f" {len(run.ledger)} effects, {repeated(run)} of them repeated, all ended {settled:.1f} s after the last fault"
    )
    assert anomalies(run) == []
    assert store_anomalies(cluster.data / "workflow.db") == []
    assert {trace.status for trace in run.traces.values()} == {"completed", "faulted"}
    assert repeated(run) > 0
    assert max(nemesis.recoveries) < RECOVERY


def repeated(run: Run) -> int:
    """Calls beyond the first of each key."""
    return len(run.ledger) - len({line.key for line in run.ledger})


async def _registered(person: Person) -> None:
    """Sign up, as soon as all that it takes is there."""
    async with asyncio.timeout(40):
        while True:
            try:
                await person.register(person.email, PASSWORD, "Chaos")
            except AutoworkerError as early:
                if getattr(early, "status", 0) == 409:
                    return
                await asyncio.sleep(0.1)
            else:
                return
