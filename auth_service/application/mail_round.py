"""Passing on what waits in the outbox of mails."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from auth_service.application.ports import Audit
from auth_service.application.ports.mail import (
    Letter,
    MailCarrier,
    MailOutbox,
    MailWay,
    OutgoingMail,
)
from auth_service.application.postman import DECOY, Postman
from chassis.clock import Clock
from chassis.crypto.sealing import IntegrityBroken
from chassis.errors import Invalid, ServiceError

AGAIN: Final = timedelta(seconds=2)
_PAGE: Final = 50


@dataclass(frozen=True, slots=True)
class MailRound:
    """One look at the outbox. Mails leave it when notification_service has them, or nobody can.

    A mail that cannot be passed on now waits, and those behind it are tried regardless: it may be
    its own fault.
    """

    outbox: MailOutbox
    postman: Postman
    carrier: MailCarrier
    audit: Audit
    clock: Clock

    async def __call__(self) -> bool:
        """Pass on what is due; whether there may be more."""
        due = await self.outbox.due(self.clock.now(), _PAGE)
        for mail in due:
            if await self._is_settled(mail):
                await self.outbox.done(mail.id)
            else:
                await self.outbox.postpone(mail.id, self.clock.now() + AGAIN)
        return len(due) == _PAGE

    async def _is_settled(self, mail: OutgoingMail) -> bool:
        if mail.expires_at <= self.clock.now():
            self._dropped(mail, "expired before it could be sent")
            return True
        try:
            letter = self.postman.open(mail)
        except IntegrityBroken:
            self._dropped(mail, "integrity")
            return True
        return letter.template == DECOY or await self._is_carried(mail, letter)

    async def _is_carried(self, mail: OutgoingMail, letter: Letter) -> bool:
        try:
            way = await self.carrier.carry(letter)
        except Invalid as exc:
            self._dropped(mail, exc.details[0].message if exc.details else exc.message)
            return True
        except ServiceError:
            return False
        if way is MailWay.NONE:
            self.audit.record(
                "mail_waits_for_a_mail_server", tenant=mail.tenant, template=letter.template
            )
        return True

    def _dropped(self, mail: OutgoingMail, reason: str) -> None:
        self.audit.record("mail_dropped", tenant=mail.tenant, mail_id=mail.id, reason=reason)
