"""`python -m benchmarks [ROW …] [--json] [--runs N] [--tiny]`: measure, and say how it compares."""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

import uvloop
from rich.console import Console

from benchmarks.report import Report, as_json, show
from benchmarks.rows.durable import alone, three_calls, three_sets
from benchmarks.rows.identity import identity
from benchmarks.rows.idle import idle
from benchmarks.rows.jq_paths import jq_paths
from benchmarks.rows.listening import listening
from benchmarks.rows.loops import loops
from benchmarks.rows.reads import reads
from benchmarks.rows.recovery import recovery
from benchmarks.sizes import TINY, Sizes

ROWS: Final[dict[str, Callable[[Sizes], Awaitable[Report]]]] = {
    "a": three_calls,
    "b": alone,
    "c": three_sets,
    "d": reads,
    "e": idle,
    "recovery": recovery,
    "loop": loops,
    "listen": listening,
    "jq": jq_paths,
    "identity": identity,
}


def main() -> None:
    """Measure what the command line asks for."""
    asked = _arguments().parse_args()
    sizes = TINY if asked.tiny else Sizes()
    if asked.runs:
        sizes = replace(sizes, runs=asked.runs)
    console = Console(width=None if sys.stdout.isatty() else 120)
    reports = []
    for row in asked.rows or ROWS:
        report = uvloop.run(_measured(ROWS[row], sizes))
        reports.append(report)
        if not asked.json:
            show(console, report)
    if asked.json:
        print(as_json(reports).decode())


async def _measured(row: Callable[[Sizes], Awaitable[Report]], sizes: Sizes) -> Report:
    async with asyncio.timeout(900):
        return await row(sizes)


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "rows", nargs="*", choices=[*ROWS, []], help="which; all when none is named"
    )
    parser.add_argument("--json", action="store_true", help="print JSON, for machines")
    parser.add_argument("--runs", type=int, help="how often each load is repeated; the best counts")
    parser.add_argument("--tiny", action="store_true", help="see that it works, measure nothing")
    return parser


if __name__ == "__main__":
    main()
