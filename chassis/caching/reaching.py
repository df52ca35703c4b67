"""A server that was not there is left alone for a moment, so that losing it costs each request next to nothing."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from chassis.clock import Clock
from chassis.errors import Unavailable
from chassis.telemetry.logging import get_logger

PAUSE = 1.0
"""Seconds for which a server that was not there is not asked again; then one request tries."""

T = TypeVar("T")
_log = get_logger("chassis.caching")


class Reach:
    """Whether a server is worth asking.

    Args:
        what: stands in the log: `<what>_lost`, `<what>_found`.
        clock: what pauses are measured with.
    """

    def __init__(self, what: str, clock: Clock) -> None:
        self._what = what
        self._clock = clock
        self._ask_again = float("-inf")
        self._lost = False

    async def ask(self, question: Callable[[], Awaitable[T]]) -> T:
        """What *question* comes to.

        Raises:
            Unavailable: it raised that, or the server was not there a moment ago.
        """
        now = self._clock.monotonic()
        if now < self._ask_again:
            raise Unavailable(f"{self._what} were lost", retry_after=PAUSE)
        if self._lost:
            self._ask_again = now + PAUSE
        try:
            answer = await question()
        except Unavailable as exc:
            self._lose(exc)
            raise
        self._find()
        return answer

    def _lose(self, exc: Unavailable) -> None:
        self._ask_again = self._clock.monotonic() + PAUSE
        if not self._lost:
            self._lost = True
            _log.warning(f"{self._what}_lost", reason=str(exc.__cause__ or exc))

    def _find(self) -> None:
        self._ask_again = float("-inf")
        if self._lost:
            self._lost = False
            _log.info(f"{self._what}_found")
