"""`python -m tests.cluster [MINUTES] [--seed N]`: a cluster under load in which one thing breaks after the other; see docs/faults.md.

Every minute it tells how it stands, at the end what was measured. A broken promise ends it, and so does what grows without bound,
with the folder in which the logs are.
"""

import argparse
import asyncio
import random
import sys
import tempfile
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from tests.cluster.scenario import staged
from tests.cluster.soak import Soak
from tests.cluster.stored import sums

_GROWS: Final = 0.005
"""Documents for each execution that are worth a row."""


def summary(soak: Soak) -> Table:
    """What was broken how often, and what became of it."""
    tally, outcomes = soak.tally, soak.outcomes
    title = (
        f"{soak.faults.total()} faults in {len(outcomes)} rounds, {soak.passed / 60:.0f} minutes"
    )
    shown = Table(title=title, title_justify="left")
    shown.add_column("what")
    shown.add_column("how much", justify="right")
    for fault, count in sorted(soak.faults.items()):
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
    shown.add_row("takeovers", str(max((each.takeovers for each in outcomes), default=0)))
    longest = max((outcome.settled for outcome in outcomes), default=0.0)
    shown.add_row("all ended after a round, at the latest", f"{longest:.1f} s")
    shown.add_row("lost, doubled, out of order, stale, growing", str(len(soak.anomalies)))
    return shown


def held(soak: Soak) -> Table:
    """What each process held, in the longest of its runs."""
    shown = Table(title="Held, in the longest run of each process", title_justify="left")
    for column in ("process", "min", "MiB", "a minute", "files", "a minute", "threads", "runs"):
        shown.add_column(column, justify="left" if column == "process" else "right")
    for run in soak.vitals.longest():
        first, last = run.readings[0], run.readings[-1]
        judged = bool(run.judged())
        shown.add_row(
            run.name,
            f"{(last.at - first.at) / 60:.1f}",
            f"{first.resident:.0f} → {last.resident:.0f}",
            f"{run.slope('resident'):+.2f}" if judged else "",
            f"{first.files} → {last.files}",
            f"{run.slope('files'):+.2f}" if judged else "",
            f"{first.threads} → {last.threads}",
            str(sum(each.name == run.name for each in soak.vitals.runs)),
        )
    return shown


def stored(soak: Soak) -> Table:
    """What the store has of each execution, and of what there is more and more."""
    counts = sums(soak.stored.counts)
    title = f"Stored: {counts[0]} → {counts[-1]} documents" if counts else "Nothing was counted"
    shown = Table(title=title, title_justify="left")
    shown.add_column("collection")
    shown.add_column("documents", justify="right")
    shown.add_column("for each execution", justify="right")
    for name, share in sorted(soak.stored.per_execution().items(), key=lambda each: -each[1]):
        if abs(share) >= _GROWS:
            shown.add_row(name, str(soak.stored.counts[-1].documents[name]), f"{share:+.2f}")
    return shown


async def main(minutes: float, seed: int) -> int:
    """Play, and show what was measured; 1 when a promise was broken."""
    folder = Path(tempfile.mkdtemp(prefix="cluster-"))
    print(f"seed {seed}; logs in {folder}")  # noqa: T201
    async with staged(folder) as stage:
        soak = Soak(stage, random.Random(seed), seed, minutes)
        await soak.run()
    console = Console(width=None if sys.stdout.isatty() else 100)
    for table in (summary(soak), held(soak), stored(soak)):
        console.print(table)
    for anomaly in soak.anomalies:
        console.print(anomaly, style="red", markup=False)
    return 1 if soak.anomalies else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.cluster", description=__doc__)
    parser.add_argument("minutes", nargs="?", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=random.randrange(1, 1_000_000))
    asked = parser.parse_args()
    sys.exit(asyncio.run(main(asked.minutes, asked.seed)))
