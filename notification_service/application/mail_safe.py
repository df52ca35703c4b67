"""Mails in and out of their seal."""

from dataclasses import dataclass

import msgspec

from chassis.crypto.safe import Safe
from notification_service.application.mail_ports import SealedMail
from notification_service.application.ports import Letter
from notification_service.domain.identity_mail import IdentityMail, Written
from notification_service.domain.notification import Message
from notification_service.domain.recipient import Contact, Recipient


class _Inside(msgspec.Struct, frozen=True):
    recipient: str
    subject: str
    body: str
    template: str


@dataclass(frozen=True, slots=True)
class MailSafe:
    """Who steals the store gets neither link nor code: the key is elsewhere."""

    safe: Safe

    def seal(self, mail: IdentityMail, words: Written) -> bytes:
        """Address and words of *mail*, sealed."""
        inside = _Inside(mail.recipient, words.subject, words.body, mail.template)
        return self.safe.seal(msgspec.json.encode(inside), mail.tenant, mail.id)

    def letter(self, mail: SealedMail, recipient: Recipient) -> Letter:
        """*mail*, opened for a channel.

        Raises:
            chassis.crypto.sealing.IntegrityBroken: it is not as it was sealed.
        """
        plain = self.safe.unseal(mail.sealed, mail.tenant, mail.id)
        inside = msgspec.json.decode(plain, type=_Inside)
        message = Message(f"identity.{inside.template}", inside.subject, inside.body, b"{}")
        to = Contact(recipient, inside.recipient, "", mail.written_at)
        return Letter(mail.id, message, to, mail.written_at)
