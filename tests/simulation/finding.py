"""Finding bad seeds, and telling them so that somebody can go after them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import structlog

from tests.simulation.checker import findings
from tests.simulation.evidence import Answered, Evidence, Happened, Knew
from tests.simulation.run import simulate

_LONGEST_TRACE = 80


@dataclass(frozen=True, slots=True)
class Failure:
    """A bad seed."""

    seed: int
    findings: tuple[str, ...]
    trace: tuple[str, ...]

    def told(self) -> str:
        """Say what is wrong, how it came to be, and how to see it again."""
        return "\n".join(
            (
                f"seed {self.seed}: {self.findings[0]}",
                *(f"  also: {finding}" for finding in self.findings[1:4]),
                *(f"    {line}" for line in self.trace),
                f"  again: python -m tests.simulation --replay {self.seed}",
            )
        )


def silence() -> None:
    """Let the engine's log say nothing: there is a trace."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))


def failures(seeds: Iterable[int]) -> Iterator[Failure]:
    """Run *seeds* and yield those that show something wrong."""
    for seed in seeds:
        evidence = simulate(seed)
        found = findings(evidence)
        if found:
            yield Failure(seed, tuple(found), tuple(_shortened(evidence, found)))


def bad_seeds(seeds: Iterable[int]) -> list[Failure]:
    """Return what ``failures`` yields: for a process of a pool."""
    return list(failures(seeds))


def trace(seed: int) -> tuple[list[str], bool]:
    """Run *seed*; return everything that happened and what is wrong with it, and whether something is."""
    evidence = simulate(seed)
    found = findings(evidence)
    lines = [f"{entry.time:10.3f}  {entry}" for entry in evidence.entries]
    return [*lines, *found, f"{len(found)} findings"], bool(found)


def _shortened(evidence: Evidence, found: list[str]) -> Iterator[str]:
    """Yield what concerns the executions that a finding names, and the faults between."""
    named = [execution for execution in evidence.rows if any(execution in text for text in found)]
    kept = [
        f"{entry.time:.3f} {str(entry)[:160]}"
        for entry in evidence.entries
        if not isinstance(entry, Knew)
        and (
            isinstance(entry, Happened)
            or not named
            or any(execution in str(entry) for execution in named)
            or (isinstance(entry, Answered) and any(entry.mark in text for text in found))
        )
    ]
    yield from kept[-_LONGEST_TRACE:]
