"""Writing mails about accounts: sealed at once, and only opened again to be passed on."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import msgspec

from auth_service.application.ports.mail import Letter, MailOutbox, OutgoingMail
from chassis.clock import Clock
from chassis.crypto.safe import Safe
from chassis.ids import Ids

DECOY: Final = ""
"""The template of a mail that is never sent: who is no user costs the same as who is."""


class _Inside(msgspec.Struct, frozen=True):
    user_id: str
    recipient: str
    template: str
    facts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Postman:
    """Implements `Mail`; makes mails as well for stores that keep them within a change of theirs."""

    outbox: MailOutbox
    safe: Safe
    clock: Clock
    ids: Ids

    async def send(
        self,
        tenant: str,
        recipient: str,
        template: str,
        facts: Mapping[str, str],
        *,
        user_id: str = "",
        good_for: timedelta = timedelta(days=3),
    ) -> None:
        """See `Mail.send`."""
        await self.outbox.add(
            self.write(tenant, recipient, template, facts, user_id=user_id, good_for=good_for)
        )

    def write(
        self,
        tenant: str,
        recipient: str,
        template: str,
        facts: Mapping[str, str],
        *,
        user_id: str = "",
        good_for: timedelta = timedelta(days=3),
    ) -> OutgoingMail:
        """A sealed mail, for a store to keep."""
        now, mail_id = self.clock.now(), self.ids.new()
        inside = msgspec.json.encode(_Inside(user_id, recipient, template, dict(facts)))
        sealed = self.safe.seal(inside, tenant, mail_id)
        return OutgoingMail(mail_id, tenant, sealed, now, now + good_for)

    def open(self, mail: OutgoingMail) -> Letter:
        """What *mail* says.

        Raises:
            chassis.crypto.sealing.IntegrityBroken: it is not as it was sealed.
        """
        plain = self.safe.unseal(mail.sealed, mail.tenant, mail.id)
        inside = msgspec.json.decode(plain, type=_Inside)
        return Letter(
            id=mail.id,
            tenant=mail.tenant,
            user_id=inside.user_id,
            recipient=inside.recipient,
            template=inside.template,
            facts=inside.facts,
            expires_at=mail.expires_at,
        )


def shown_time(moment: datetime) -> str:
    """*moment* for people."""
    return moment.strftime("%Y-%m-%d %H:%M UTC")
