"""Brings mails about accounts to notification_service, for as long as it takes."""

import asyncio

from auth_service.application.mail_round import MailRound
from auth_service.application.ports.mail import MailOutbox
from chassis.errors import Unavailable
from chassis.telemetry.logging import get_logger

PAUSE = 1.0
"""Seconds between two looks when nothing new was put in."""

_log = get_logger("auth.mail")


async def relay_mails(outbox: MailOutbox, one_round: MailRound, *, pause: float = PAUSE) -> None:
    """Round after round, for ever. A store that is away for a while only costs rounds."""
    while True:
        try:
            if not await one_round():
                await outbox.wait(seconds=pause)
        except Unavailable as exc:
            _log.warning("mail_postponed", reason=exc.message)
            await asyncio.sleep(pause)
