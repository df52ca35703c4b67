"""Looking into a store that others write to as well, and that tells nobody."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from chassis.errors import Unavailable
from chassis.lifecycle import undisturbed
from chassis.telemetry.logging import get_logger

_log = get_logger("chassis.polling")


async def poll(
    look: Callable[[], Coroutine[Any, Any, None]], *, every: float, waiting: str
) -> None:
    """Call *look* for ever, with *every* seconds in between.

    A store that is away for a while is waited for: *waiting* is the event that the log then has. A look that has begun is
    finished before a cancellation takes effect, since the driver gives up its connection otherwise.
    """
    while True:
        await asyncio.sleep(every)
        try:
            await undisturbed(look())
        except Unavailable as failure:
            _log.warning(waiting, reason=failure.message)
