"""One seed is one run: the same today, tomorrow, and in another process."""

from __future__ import annotations

import hashlib
import subprocess
import sys

from tests.simulation.finding import silence, trace

_SEEDS = (3, 14, 77)
_PROGRAM = (
    "from tests.simulation.test_replay import digest\nprint(' '.join(digest(s) for s in {seeds}))"
)


def digest(seed: int) -> str:
    """Return what happens in a run, in few letters."""
    silence()
    lines, _ = trace(seed)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def test_a_seed_replays_identically() -> None:
    assert [digest(7) for _ in range(5)] == [digest(7)] * 5


def test_a_seed_replays_identically_in_another_process() -> None:
    program = _PROGRAM.format(seeds=_SEEDS)
    for hashing in ("1", "2"):
        found = subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": hashing, "PYTHONPATH": "."},
            capture_output=True,
            text=True,
            check=True,
        )
        assert found.stdout.split() == [digest(seed) for seed in _SEEDS]


def test_seeds_differ() -> None:
    assert len({digest(seed) for seed in range(20)}) == 20
