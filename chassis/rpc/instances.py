"""One instance of a service, as somebody who calls it sees it: how busy it is, and whether it answers.

A circuit breaker of its own keeps calls from an instance that fails: after some failures in a row it is left out for
a while, then one call may try it (half-open); the wait doubles with each trial that fails.
"""

from dataclasses import dataclass, field
from typing import Final

import grpc

FAILURES: Final = 3
"""As many in a row, and the instance is left out."""
FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 30.0
"""Seconds for which it is left out, at first and at the most."""


@dataclass(eq=False, slots=True)
class Instance:
    """An address and the connection to it."""

    address: str
    channel: grpc.aio.Channel
    in_flight: int = 0
    left_out_until: float = float("-inf")
    _failures: int = 0
    _pause: float = field(default=FIRST_PAUSE)
    _trial: bool = False

    def takes_calls(self, now: float) -> bool:
        """Whether a call should go there: nothing is known against it, or it is time for a trial."""
        return self._failures < FAILURES or (now >= self.left_out_until and not self._trial)

    def begin(self) -> None:
        """A call goes there."""
        self.in_flight += 1
        if self._failures >= FAILURES:
            self._trial = True

    def end(self, *, answered: bool | None, now: float) -> bool:
        """A call has ended; whether the instance is left out because of it.

        Args:
            answered: whether the instance did; None when that cannot be told, as when the caller left.
            now: on the monotonic clock.
        """
        self.in_flight -= 1
        was_trial, self._trial = self._trial, False
        if answered:
            self._failures, self._pause = 0, FIRST_PAUSE
        elif answered is not None:
            self._failures += 1
            if self._failures == FAILURES or (was_trial and self._failures > FAILURES):
                self.left_out_until = now + self._pause
                self._pause = min(2 * self._pause, LONGEST_PAUSE)
                return True
        return False
