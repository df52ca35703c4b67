"""Somebody is to get a mail about their account."""

from dataclasses import dataclass

from chassis.clock import Clock
from notification_service.application.mail_ports import Mails, SealedMail
from notification_service.application.mail_safe import MailSafe
from notification_service.application.ports import Signals
from notification_service.domain.delivery import ChannelName, PendingDelivery
from notification_service.domain.identity_mail import IdentityMail, MailWay, written
from notification_service.domain.recipient import Recipient


@dataclass(frozen=True, slots=True)
class SendMail:
    """Take charge of a mail; doing it again changes nothing."""

    mail: IdentityMail


@dataclass(frozen=True, slots=True)
class SendMailHandler:
    """Raises `MailInvalid`; returns how mail leaves the house when this one is durable."""

    mails: Mails
    safe: MailSafe
    way: MailWay
    signals: Signals
    clock: Clock

    async def __call__(self, command: SendMail) -> MailWay:
        """Write it, seal it, keep it."""
        mail, now = command.mail, self.clock.now()
        sealed = SealedMail(
            mail.id, mail.tenant, self.safe.seal(mail, written(mail)), now, mail.expires_at
        )
        recipient = Recipient(mail.tenant, mail.user_id)
        pending = PendingDelivery(mail.id, recipient, ChannelName.MAIL, 0, now)
        if await self.mails.accept(sealed, pending):
            self.signals.mail_accepted(mail.template, self.way)
        return self.way
