"""A circuit breaker: what fails too often is left alone for a while, and then tried with one call.

    closed ──too many failures──▶ open ──its time is over──▶ half-open ──the probe succeeds──▶ closed
                                   ▲                             │
                                   └───────the probe fails───────┘

It only counts: no clock, no waiting, no I/O. Times are seconds of one monotonic clock.
"""

from collections import deque
from dataclasses import dataclass
from enum import Enum
from typing import Final

_SLICES: Final = 10
"""How many parts a window has: outcomes are forgotten a slice at a time."""


class State(Enum):
    """What a breaker lets through; the values are those of the metric."""

    CLOSED = 0
    HALF_OPEN = 1
    OPEN = 2


class Verdict(Enum):
    """What a finished call says about its host."""

    GOOD = "good"
    BAD = "bad"
    NOTHING = "nothing"
    """It was given up for a reason that is not the host's."""


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """When a breaker opens, and for how long."""

    window: float = 30.0
    """Seconds over which outcomes are counted."""
    minimum: int = 20
    """Calls within the window below which nothing is concluded."""
    failure_rate: float = 0.5
    """Share of failures, 0 to 1, from which on it opens."""
    open_for: float = 10.0
    """Seconds until the probe."""


@dataclass(slots=True)
class _Slice:
    number: int
    calls: int = 0
    failures: int = 0


@dataclass(frozen=True, slots=True)
class Pass:
    """Leave to make one call, to be handed back with what came of it."""

    era: int
    probe: bool


class Breaker:
    """Decides about the calls to one host."""

    def __init__(self, policy: BreakerPolicy) -> None:
        self._policy = policy
        self._slices: deque[_Slice] = deque()
        self._open_until: float | None = None
        self._probing = False
        self._era = 0

    def state(self, now: float) -> State:
        """What it is at *now*."""
        if self._open_until is None:
            return State.CLOSED
        return State.OPEN if now < self._open_until else State.HALF_OPEN

    def closed_for(self, now: float) -> float | None:
        """Seconds until a call has a chance again; None when it has one now."""
        match self.state(now):
            case State.CLOSED:
                return None
            case State.OPEN:
                return (self._open_until or now) - now
            case State.HALF_OPEN:
                return self._policy.open_for if self._probing else None

    def enter(self) -> Pass:
        """Let one call through; only after `closed_for` has said None, with nothing in between."""
        probe = self._open_until is not None
        self._probing = self._probing or probe
        return Pass(self._era, probe)

    def leave(self, held: Pass, verdict: Verdict, now: float) -> None:
        """Take in what came of a call; what began before the last change of state is ignored."""
        if held.era != self._era:
            return
        if held.probe:
            self._probing = False
            if verdict is Verdict.GOOD:
                self._turn(None)
            elif verdict is Verdict.BAD:
                self._turn(now + self._policy.open_for)
        elif verdict is not Verdict.NOTHING:
            self._count(verdict, now)

    def _count(self, verdict: Verdict, now: float) -> None:
        number = int(now / self._policy.window * _SLICES)
        while self._slices and self._slices[0].number <= number - _SLICES:
            self._slices.popleft()
        if not self._slices or self._slices[-1].number != number:
            self._slices.append(_Slice(number))
        self._slices[-1].calls += 1
        self._slices[-1].failures += verdict is Verdict.BAD
        calls = sum(part.calls for part in self._slices)
        failures = sum(part.failures for part in self._slices)
        if calls >= self._policy.minimum and failures >= calls * self._policy.failure_rate:
            self._turn(now + self._policy.open_for)

    def _turn(self, open_until: float | None) -> None:
        self._open_until = open_until
        self._slices.clear()
        self._era += 1


class RetryBudget:
    """How many calls may be repeated: a share of all, so that repeating never doubles an overload."""

    def __init__(self, share: float, burst: float) -> None:
        """Begin with *burst* repetitions saved, which is also the most that is ever saved."""
        self._share = share
        self._burst = burst
        self._saved = burst

    def earn(self) -> None:
        """Count a call that was not a repetition."""
        self._saved = min(self._burst, self._saved + self._share)

    def spend(self) -> bool:
        """Whether a call may be repeated now; if so, that is one less."""
        if self._saved < 1.0:
            return False
        self._saved -= 1.0
        return True
