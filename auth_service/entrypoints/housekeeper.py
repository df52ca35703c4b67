"""What time itself asks for: keys are rotated, and what has expired is dropped."""

import asyncio

from auth_service.application.app import Commands
from auth_service.application.commands.purge_expired import PurgeExpired
from auth_service.application.commands.rotate_keys import RotateKeys
from chassis.errors import Unavailable
from chassis.telemetry.logging import get_logger

EVERY = 60.0
"""Seconds between two rounds."""

_log = get_logger("auth.housekeeper")


async def keep_house(commands: Commands, *, every: float = EVERY) -> None:
    """A round now and then, for ever. A store that is away for a while only costs a round."""
    while True:
        await asyncio.sleep(every)
        try:
            await commands.rotate_keys(RotateKeys())
            await commands.purge_expired(PurgeExpired())
        except Unavailable as exc:
            _log.warning("housekeeping_postponed", reason=exc.message)
