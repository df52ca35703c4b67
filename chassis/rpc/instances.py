"""One instance of a service, as somebody who calls it sees it: how busy it is, and whether it answers.

A circuit breaker of its own keeps calls from an instance that fails: after some failures in a row it is left out for
a while. Then it is asked aside whether it answers; if so, one call may try it (half-open). The wait doubles with each
question and each trial that fails.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import grpc

FAILURES: Final = 3
"""As many in a row, and the instance is left out."""
FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 30.0
"""Seconds for which it is left out, at first and at the most."""
LONGEST_SILENCE: Final = 5.0
"""Seconds between two questions to one that says nothing: they cost no caller anything."""
DOUBT: Final = 1.5
"""Seconds without any answer after which an instance that owes one is asked whether it is there."""


class Turn(StrEnum):
    """What a call or a question has changed."""

    LEFT_OUT = "left_out"
    BACK = "back"


@dataclass(eq=False, slots=True)
class Instance:
    """An address and the connection to it."""

    address: str
    channel: grpc.aio.Channel
    in_flight: int = 0
    left_out_until: float = float("-inf")
    probing: bool = False
    """Whether it is being asked at the moment."""
    _failures: int = 0
    _pause: float = field(default=FIRST_PAUSE)
    _trial: bool = False
    _probed: bool = False
    _owing: float = float("-inf")
    """Since when it owes an answer, if a call is under way or was left in vain."""
    _abandoned: bool = False
    _heard: bool = False
    """Whether it has answered anything since it was asked."""

    def takes_calls(self) -> bool:
        """Whether a call should go there: nothing is known against it, or it is time for a trial."""
        return self._failures < FAILURES or (self._probed and not self._trial)

    def is_doubtful(self, now: float) -> bool:
        """Whether somebody should ask it if it is there, beside the calls."""
        if self.probing:
            return False
        if self._failures >= FAILURES and not self._probed:
            return now >= self.left_out_until
        return (self.in_flight > 0 or self._abandoned) and now - self._owing >= DOUBT

    def begin(self, now: float) -> None:
        """A call goes there."""
        if self.in_flight == 0 and not self._abandoned:
            self._owing = now
        self.in_flight += 1
        if self._failures >= FAILURES:
            self._trial = True

    def end(self, *, answered: bool | None, now: float) -> Turn | None:
        """A call has ended.

        Args:
            answered: whether the instance did; None when that cannot be told, as when the caller left.
            now: on the monotonic clock.
        """
        self.in_flight -= 1
        was_trial, self._trial = self._trial, False
        if answered:
            return self.heard(now)
        if answered is None:
            self._abandoned = True
            return None
        self._failures += 1
        if self._failures == FAILURES or (was_trial and self._failures > FAILURES):
            return self._leave_out(now, LONGEST_PAUSE)
        return None

    def heard(self, now: float) -> Turn | None:
        """It has answered, though perhaps not for the last time: a stream may go on for ever."""
        was_out = self._failures >= FAILURES
        self._trial, self._failures, self._pause = False, 0, FIRST_PAUSE
        self._owing, self._abandoned, self._heard = now, False, True
        return Turn.BACK if was_out else None

    def asked(self) -> None:
        """Somebody asks it whether it is there."""
        self.probing, self._heard = True, False

    def probed(self, *, answered: bool, now: float) -> Turn | None:
        """It was asked whether it is there; a call that it has answered since says so as well."""
        self._owing, self._abandoned = now, False
        if answered or self._heard:
            # A trial that goes on and says nothing, as a stream may, does not keep others away.
            self._probed, self._trial = self._failures >= FAILURES, False
            return None
        was_out, self._failures = self._failures >= FAILURES, max(self._failures, FAILURES)
        turn = self._leave_out(now, LONGEST_SILENCE)
        return None if was_out else turn

    def _leave_out(self, now: float, longest: float) -> Turn:
        self._probed = False
        self.left_out_until = now + self._pause
        self._pause = min(2 * self._pause, longest)
        return Turn.LEFT_OUT
