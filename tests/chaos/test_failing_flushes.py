"""A flush of the disk fails: whoever sees that stops, and what was acknowledged before is there."""

import asyncio
import os
import random
from pathlib import Path
from typing import Final

import pytest

from autoworker.errors import AutoworkerError
from tests.chaos.failing_flush import failing_after
from tests.chaos.load import all_ended
from tests.chaos.processes import Cluster, Process, one_process, started
from tests.chaos.store import integrity, store_anomalies
from tests.support.gateway_client import PASSWORD, Person

MINUTES: Final = float(os.environ.get("CHAOS_MINUTES", "0"))
SEED: Final = int(os.environ.get("CHAOS_SEED", "0")) or random.randrange(1, 1_000_000)
ROUNDS: Final = 2 if not MINUTES else 30
SET: Final = """
document: {dsl: 1.0.3, namespace: chaos, name: note, version: 1.0.0}
do:
  - keep: {set: {kept: "${ .n }"}}
  - rest: {wait: {milliseconds: 20}}
"""


@pytest.mark.timeout(MINUTES * 60 + 280)
async def test_who_sees_a_flush_fail_stops_and_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    cluster = one_process(tmp_path)
    process, accepted = cluster.processes[0], set[str]()
    with started(cluster):
        await cluster.is_ready()
        async with Person(cluster.url, "flush@example.com") as person:
            await person.register(person.email, PASSWORD)
            await person.publish(SET)
            for _ in range(ROUNDS):
                process.stop()
                process.wrapped = failing_after(chance.randint(30, 200), tmp_path)
                process.start()
                await cluster.is_ready()
                accepted |= await _accepted_until_it_stops(person, process)
                process.wrapped = ()
                process.start()
                await cluster.is_ready()
                await _all_are_there(person, accepted)
            await all_ended(person)
            await _all_have_ended(person, accepted)
    print(f"\nfailing flushes (seed {SEED}): {ROUNDS} times, {len(accepted)} accepted, none lost")  # noqa: T201
    assert accepted
    _stores_are_sound(cluster)


def _stores_are_sound(cluster: Cluster) -> None:
    for name in ("auth.db", "notification.db", "workflow.db"):
        assert integrity(cluster.data / name) == "ok"
    assert store_anomalies(cluster.data / "workflow.db") == []


async def _accepted_until_it_stops(person: Person, process: Process) -> set[str]:
    """Start executions until the process has seen its disk fail, and see it leave by itself with an error."""
    accepted: set[str] = set()
    running = process.running
    assert running is not None
    async with asyncio.timeout(60):
        while running.poll() is None:
            try:
                begun = await person.start("chaos/note", {"n": len(accepted)})
            except AutoworkerError:
                await asyncio.sleep(0.05)
            else:
                accepted.add(begun.id)
    assert running.returncode == 1
    assert "the disk cannot be read or written" in process.log
    return accepted


async def _all_are_there(person: Person, accepted: set[str]) -> None:
    for execution in accepted:
        assert (await person.get(execution)).id == execution


async def _all_have_ended(person: Person, accepted: set[str]) -> None:
    for execution in accepted:
        assert (await person.get(execution)).status == "completed"
