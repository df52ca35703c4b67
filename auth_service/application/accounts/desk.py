"""What every change of an account has in common: who is told, which sessions end, how it is made."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from auth_service.application.live_sessions import LiveSessions
from auth_service.application.opaque_tokens import digest_of, new_token
from auth_service.application.ports import Audit, Randomness
from auth_service.application.ports.accounts import AccountChange, Accounts, Ending, Erasure
from auth_service.application.ports.mail import OutgoingMail
from auth_service.application.postman import DECOY, Postman, shown_time
from auth_service.domain.account import AccountPolicy, AccountToken, Purpose
from auth_service.domain.events import AccountFact, FactKind
from auth_service.domain.session import RevocationReason, SessionPolicy
from auth_service.domain.user import EmailAddress, User
from chassis.clock import Clock
from chassis.ids import Ids

_TEMPLATES = {
    Purpose.VERIFY_EMAIL: "verify-email",
    Purpose.CHANGE_EMAIL: "confirm-new-email",
    Purpose.RESET_PASSWORD: "password-reset",
    Purpose.INVITATION: "invitation",
}


@dataclass(frozen=True, slots=True)
class Desk:
    """Makes changes whole: rows, links, mails, events and ended sessions in one transaction."""

    accounts: Accounts
    live: LiveSessions
    postman: Postman
    policy: AccountPolicy
    sessions: SessionPolicy
    randomness: Randomness
    audit: Audit
    clock: Clock
    ids: Ids

    async def apply(self, change: AccountChange) -> Sequence[str]:
        """Make *change*; the sessions that it ended are refused here at once. See `Accounts.apply`."""
        ended = await self.accounts.apply(change)
        self.forget(ended)
        return ended

    async def erase(self, user: User) -> None:
        """Delete *user* and what is personal. See `Accounts.erase`."""
        now = self.clock.now()
        last = self.postman.write(
            user.tenant, user.email.text, "account-deleted", {"when": shown_time(now)}
        )
        ended = await self.accounts.erase(
            Erasure(
                user=user,
                ending=self.ending(RevocationReason.ACCOUNT_DELETED),
                events=(self.fact(FactKind.USER_DELETED, user),),
                mails=(last,),
            )
        )
        self.forget(ended)

    def ending(self, reason: RevocationReason, *, spare: str = "") -> Ending:
        """All sessions end now, but *spare*."""
        now = self.clock.now()
        return Ending(self.ids.new(), reason, now, self.sessions.forget_revocation_at(now), spare)

    def fact(self, kind: FactKind, user: User, **facts: str) -> AccountFact:
        """What others are told about *user*."""
        return AccountFact(self.ids.new(), kind, user.tenant, user.id, self.clock.now(), facts)

    def note(self, user: User, template: str, **facts: str) -> OutgoingMail:
        """A mail to *user*, saying when it was."""
        told = {"name": user.name, "when": shown_time(self.clock.now()), **facts}
        return self.postman.write(user.tenant, user.email.text, template, told, user_id=user.id)

    async def send_link(
        self, user: User, purpose: Purpose, to: EmailAddress, *more: OutgoingMail
    ) -> None:
        """Mail a link for *purpose* to the address *to*; an earlier one is good no more."""
        token, mail = self._link(user.tenant, user.id, purpose, to)
        await self.accounts.keep_token(token, (mail, *more))

    async def send_nothing(self, tenant: str, purpose: Purpose) -> None:
        """Take the same steps as `send_link`, for nobody: no mail leaves the house."""
        nobody = EmailAddress("", "")
        token, _ = self._link(tenant, "", purpose, nobody)
        decoy = self.postman.write(tenant, "", DECOY, {}, good_for=timedelta(minutes=1))
        await self.accounts.keep_token(token, (decoy,))

    def forget(self, ended: Sequence[str]) -> None:
        """Refuse what was ended, here and at once."""
        for session_id in ended:
            self.live.forget(session_id)

    def _link(
        self, tenant: str, user_id: str, purpose: Purpose, to: EmailAddress
    ) -> tuple[AccountToken, OutgoingMail]:
        now, life = self.clock.now(), self.policy.life(purpose)
        text = new_token(self.randomness)
        token = AccountToken(digest_of(text), purpose, tenant, user_id, to, now, now + life)
        facts = {
            "token": text,
            "link": self.policy.link(purpose, text),
            "expires": shown_time(now + life),
        }
        mail = self.postman.write(
            tenant, to.text, _TEMPLATES[purpose], facts, user_id=user_id, good_for=life
        )
        return token, mail
