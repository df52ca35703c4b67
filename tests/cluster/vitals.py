"""What processes hold over time, and whether that grows without bound: resident memory, open files, threads."""

import asyncio
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Final, NamedTuple

EVERY: Final = 5.0
"""Seconds between two readings."""
WARM: Final = 1 / 3
"""The share of its time in which a process still fills caches and pools: not judged."""
ENOUGH: Final = 300.0
"""Seconds after it that a run must have lasted to be judged."""
_MIB: Final = 1 << 20


class Reading(NamedTuple):
    """What one process held at one moment."""

    at: float
    """Seconds, on the monotonic clock."""
    resident: float
    """MiB."""
    files: int
    threads: int


BOUNDS: Final[Mapping[str, float]] = {"resident": 0.5, "files": 0.5, "threads": 0.2}
"""What rises by more than this a minute, from each quarter of what is judged to the next, grows without bound. What fills a cache, or
takes a larger piece once, does so in one of them."""
_QUARTERS: Final = 4


@dataclass(slots=True)
class Run:
    """One run of a process, from its start to its end."""

    name: str
    pid: int
    readings: list[Reading] = field(default_factory=list)

    def judged(self) -> Sequence[Reading]:
        """What was read after it had warmed up; nothing when that was too short."""
        if not self.readings:
            return ()
        first, last = self.readings[0].at, self.readings[-1].at
        warm = first + (last - first) * WARM
        return [each for each in self.readings if each.at >= warm] if last - warm >= ENOUGH else ()

    def slope(self, of: str) -> float:
        """By how much *of* grew in a minute after it had warmed up: the least squares' line."""
        readings = self.judged()
        return 60.0 * _slope([(each.at, float(getattr(each, of))) for each in readings])

    def least_rise(self, of: str) -> float:
        """By how much *of* grew in a minute from one quarter to the next, by their medians, where it grew least."""
        readings = self.judged()
        size = len(readings) // _QUARTERS
        if not size:
            return 0.0
        parts = [readings[at * size : (at + 1) * size] for at in range(_QUARTERS)]
        medians = [median(getattr(each, of) for each in part) for part in parts]
        minutes = (readings[-1].at - readings[0].at) / 60 / _QUARTERS
        return float(min(after - before for before, after in pairwise(medians)) / minutes)


@dataclass(slots=True)
class Vitals:
    """What was read of every process, run by run."""

    runs: list[Run] = field(default_factory=list)

    def take(self, pids: Mapping[str, int], now: float) -> None:
        """Read them all once; who is gone is left out."""
        for name, pid in pids.items():
            reading = read(pid, now)
            if reading is not None:
                self._run_of(name, pid).readings.append(reading)

    def growing(self) -> list[str]:
        """What grew without bound, in words."""
        return [
            f"{run.name}: {of} grew by {run.slope(of):.2f} a minute, all the time"
            for run in self.runs
            for of, bound in BOUNDS.items()
            if run.least_rise(of) > bound
        ]

    def latest(self) -> dict[str, Reading]:
        """The last reading of each process."""
        return {run.name: run.readings[-1] for run in self.runs}

    def longest(self) -> list[Run]:
        """Of each process the run that lasted longest."""
        runs: dict[str, Run] = {}
        for run in self.runs:
            known = runs.get(run.name)
            if known is None or len(run.readings) > len(known.readings):
                runs[run.name] = run
        return list(runs.values())

    def _run_of(self, name: str, pid: int) -> Run:
        for run in reversed(self.runs):
            if run.name == name and run.pid == pid:
                return run
        self.runs.append(Run(name, pid))
        return self.runs[-1]


def read(pid: int, now: float) -> Reading | None:
    """What the process holds; None when it is gone, or on systems that do not tell."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
        files = len(os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return None
    said = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    if "VmRSS" not in said:
        return None  # it has ended, and nobody has asked how
    resident = int(said["VmRSS"].split()[0]) * 1024 / _MIB
    return Reading(now, resident, files, int(said["Threads"]))


async def watch(vitals: Vitals, pids: Callable[[], Mapping[str, int]]) -> None:
    """Read again and again, until it is cancelled; *pids* are those that run at the moment."""
    while True:
        vitals.take(pids(), time.monotonic())
        await asyncio.sleep(EVERY)


def _slope(points: Sequence[tuple[float, float]]) -> float:
    if len(points) < 2:
        return 0.0
    middle = sum(x for x, _ in points) / len(points)
    mean = sum(y for _, y in points) / len(points)
    spread = sum((x - middle) ** 2 for x, _ in points)
    return sum((x - middle) * (y - mean) for x, y in points) / spread if spread else 0.0
