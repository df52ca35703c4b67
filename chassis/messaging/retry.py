"""How often, and how soon, an event is offered again to a handler that failed."""

import asyncio
import random
from dataclasses import dataclass

from chassis.errors import Invalid, Malformed, ServiceError, Unavailable
from chassis.messaging.port import CloudEvent, Handler
from chassis.telemetry.logging import get_logger

_log = get_logger("chassis.messaging")


@dataclass(frozen=True, slots=True)
class Backoff:
    """Pauses that double from *first* to *longest* seconds, each cut by up to half at random."""

    first: float = 0.1
    longest: float = 10.0
    attempts: int = 5
    """How often an event is tried that fails for a reason nobody foresaw."""

    def pause(self, attempt: int) -> float:
        """Seconds to wait after the *attempt*-th failure, counted from 1."""
        full = min(self.longest, self.first * 2.0 ** min(attempt - 1, 62))
        return full * random.uniform(0.5, 1.0)  # noqa: S311 -- spreads load, hides nothing


class GivenUp(Exception):
    """A handler cannot take an event in, and will not."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(str(cause))
        self.cause = cause


async def deliver(name: str, handler: Handler, event: CloudEvent, backoff: Backoff) -> None:
    """Have *handler* take *event* in, trying again as long as that makes sense.

    Raises:
        GivenUp: it never will.
    """
    attempt = 0
    while True:
        attempt += 1
        try:
            await handler(event)
            return
        except (Malformed, Invalid) as exc:
            raise GivenUp(exc) from exc
        except Exception as exc:
            if not isinstance(exc, Unavailable) and attempt >= backoff.attempts:
                raise GivenUp(exc) from exc
            pause = max(backoff.pause(attempt), _asked(exc, backoff))
            _log.warning(
                "event_delayed",
                subscription=name,
                type=event.type,
                id=event.id,
                attempt=attempt,
                pause=round(pause, 3),
                exc_info=not isinstance(exc, ServiceError),
                reason=str(exc),
            )
        await asyncio.sleep(pause)


def _asked(error: Exception, backoff: Backoff) -> float:
    """The pause that *error* itself asks for, within reason."""
    if isinstance(error, ServiceError) and error.retry_after is not None:
        return min(error.retry_after, backoff.longest)
    return 0.0
