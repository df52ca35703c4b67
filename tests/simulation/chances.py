"""How unkind one run is: drawn once from its seed, so that quiet runs and storms both occur."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random


@dataclass(slots=True)
class Chances:
    """Probabilities of one run; ``calm`` turns every fault off."""

    nodes: int
    error: float
    """Of a store request that fails and does nothing."""
    lost: float
    """Of a commit that is made and whose answer is lost."""
    slow: float
    """Of a store request that takes long."""
    crash_after_commit: float
    crash_around_effect: float
    crashes: float
    """Crashes per virtual second, whatever a process is doing."""
    pauses: float
    """Stops (as by SIGSTOP) per virtual second."""
    jumps: float
    """Jumps of a wall clock per virtual second."""
    effect_fails: float
    effect_slow: float
    effect_hangs: float
    meddling: float
    """Of a person who cancels, suspends, resumes or retries an execution."""
    repeats: float
    """Of a stimulus that is delivered once more, late, or before its time."""
    calm: bool = False

    def be_calm(self) -> None:
        """From here on nothing goes wrong any more."""
        self.calm = True
        self.error = self.lost = self.slow = 0.0
        self.crash_after_commit = self.crash_around_effect = 0.0
        self.effect_slow = self.effect_hangs = self.repeats = 0.0


def draw(random: Random) -> Chances:
    """Return the chances of a run."""

    def maybe(share: float, *values: float) -> float:
        return random.choice(values) if random.random() < share else 0.0

    return Chances(
        nodes=random.choice((1, 2, 2, 3)),
        error=maybe(0.5, 0.01, 0.05, 0.2),
        lost=maybe(0.5, 0.02, 0.1, 0.3),
        slow=maybe(0.5, 0.05, 0.2, 0.4),
        crash_after_commit=maybe(0.4, 0.01, 0.05),
        crash_around_effect=maybe(0.4, 0.02, 0.1),
        crashes=maybe(0.5, 0.03, 0.15),
        pauses=maybe(0.5, 0.05, 0.2),
        jumps=maybe(0.4, 0.05, 0.2),
        effect_fails=maybe(0.8, 0.1, 0.2, 0.4),
        effect_slow=maybe(0.8, 0.3, 0.7),
        effect_hangs=maybe(0.3, 0.05, 0.15),
        meddling=maybe(0.6, 0.5, 0.9),
        repeats=maybe(0.5, 0.1, 0.4),
    )
