"""`python -m tests.cluster [MINUTES] [--seed N]`: a cluster under load in which one thing breaks after the other; see docs/running.md.

Rounds of a minute: faults at random, two at a time in every second round; every fifth round restarts each process in turn, and
then no operation may fail. After each round everybody is asked what happened. A broken promise ends it, with the folder in which the logs are.
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from tests.chaos.load import Load
from tests.cluster.faults import Nemesis
from tests.cluster.scenario import AT_LEAST, Outcome, Stage, played, staged, told
from tests.cluster.visitor import Tally

ROUND: Final = 45.0
"""Seconds of faults; what they did is judged after them."""
ROLLING: Final = 5
"""Every such round is a rolling restart."""


async def rounds(stage: Stage, minutes: float, seed: int) -> tuple[Counter[str], list[Outcome]]:
    """Play until the time is up; what was broken, and what each round came to."""
    chance, until = random.Random(seed), time.monotonic() + minutes * 60
    broken: Counter[str] = Counter()
    outcomes: list[Outcome] = []
    while time.monotonic() < until:
        nemesis = Nemesis(stage.deployment, chance)
        rolls = len(outcomes) % ROLLING == ROLLING - 1
        async with played(stage) as play:
            async with play.under_load() as load:
                await (
                    nemesis.roll(stage.deployment.members)
                    if rolls
                    else _struck(nemesis, load, 1 + len(outcomes) % 2)
                )
            outcome = await play.judged()
        outcomes.append(outcome)
        broken += nemesis.done
        told(seed, f"round {len(outcomes)}", nemesis.done, outcome)
        if outcome.tally.share < (1.0 if rolls else AT_LEAST):
            raise AssertionError(f"only {100 * outcome.tally.share:.1f} % of operations succeeded")
    return broken, outcomes


async def _struck(nemesis: Nemesis, load: Load, at_once: int) -> None:
    """Break so many things at the same time, again and again."""
    until = time.monotonic() + ROUND
    while time.monotonic() < until:
        await load.progress(5, 120.0)
        for what in await asyncio.gather(*(nemesis.strike() for _ in range(at_once))):
            print(f"  {what}", flush=True)  # noqa: T201


def table(broken: Counter[str], outcomes: list[Outcome]) -> Table:
    """What was broken how often, and what became of it."""
    tally = Tally()
    for outcome in outcomes:
        tally.add(outcome.tally)
    shown = Table(title=f"{broken.total()} faults in {len(outcomes)} rounds", title_justify="left")
    shown.add_column("what")
    shown.add_column("how much", justify="right")
    for fault, count in sorted(broken.items()):
        shown.add_row(fault, str(count))
    shown.add_section()
    at_once = 100 * tally.at_once / max(1, tally.total)
    shown.add_row("operations", str(tally.total))
    shown.add_row("succeeded", f"{100 * tally.share:.2f} %")
    shown.add_row("succeeded at the first attempt", f"{at_once:.2f} %")
    shown.add_row("slowest", f"{tally.slowest:.1f} s")
    shown.add_row("executions", str(sum(outcome.executions for outcome in outcomes)))
    shown.add_row("effects", str(sum(outcome.effects for outcome in outcomes)))
    shown.add_row("repeated, with the same key", str(sum(each.repeated for each in outcomes)))
    shown.add_row("takeovers", str(outcomes[-1].takeovers))
    longest = max(outcome.settled for outcome in outcomes)
    shown.add_row("all ended after a round, at the latest", f"{longest:.1f} s")
    shown.add_row("lost, doubled, out of order, stale", "0")
    return shown


async def main(minutes: float, seed: int) -> None:
    """Play, and show what was measured."""
    folder = Path(tempfile.mkdtemp(prefix="cluster-"))
    print(f"seed {seed}; logs in {folder}")  # noqa: T201
    async with staged(folder) as stage:
        broken, outcomes = await rounds(stage, minutes, seed)
    Console(width=None if sys.stdout.isatty() else 100).print(table(broken, outcomes))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.cluster", description=__doc__)
    parser.add_argument("minutes", nargs="?", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=random.randrange(1, 1_000_000))
    asked = parser.parse_args()
    asyncio.run(main(asked.minutes, asked.seed))
