"""Run seeds, replay one, or measure which planted bugs are found.

python -m tests.simulation 0:20000        runs those seeds
python -m tests.simulation --replay 4711  runs one and prints its trace
python -m tests.simulation --table        plants every bug and writes the table of docs/simulation.md
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from collections.abc import Iterator

from tests.simulation.finding import Failure, bad_seeds, silence, trace
from tests.simulation.planted_bugs import BUGS
from tests.simulation.table import found_by, write_table

_CHUNK = 50


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line says; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("seeds", nargs="?", default="0:1000", help="how many, or FROM:TO")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--replay", type=int, metavar="SEED")
    parser.add_argument("--table", action="store_true")
    chosen = parser.parse_args(arguments)
    if chosen.replay is not None:
        return _replay(chosen.replay)
    if chosen.table:
        return _table(chosen.jobs)
    return _run(_range(chosen.seeds), chosen.jobs)


def _range(text: str) -> range:
    first, _, last = text.rpartition(":")
    return range(int(first or 0), int(last))


def _replay(seed: int) -> int:
    silence()
    lines, bad = trace(seed)
    _say(*lines)
    return int(bad)


def _run(seeds: range, jobs: int) -> int:
    began = time.perf_counter()
    bad = 0
    chunks = [seeds[start : start + _CHUNK] for start in range(0, len(seeds), _CHUNK)]
    for failure in _in_parallel(chunks, jobs):
        bad += 1
        _say(failure.told())
    took = time.perf_counter() - began
    _say(f"{len(seeds)} seeds, {bad} bad, {len(seeds) / took:.0f} seeds/s")
    return int(bad > 0)


def _in_parallel(chunks: list[range], jobs: int) -> Iterator[Failure]:
    with multiprocessing.get_context("spawn").Pool(jobs, silence) as pool:
        for found in pool.imap(bad_seeds, chunks):
            yield from found


def _table(jobs: int) -> int:
    found = []
    with multiprocessing.get_context("spawn").Pool(jobs, silence) as pool:
        for row in pool.imap(found_by, range(len(BUGS))):
            found.append(row)
            _say(f"{row.bug}: {row.found}, for example {row.example[:120]}")
    missed = [bug for bug, row in zip(BUGS, found, strict=True) if not row.found and not bug.rare]
    _say(*write_table(found))
    return int(bool(missed))


def _say(*lines: str) -> None:
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main())
