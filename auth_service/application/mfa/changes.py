"""What every change of a user's factors brings with it."""

from dataclasses import dataclass

from auth_service.application.live_sessions import LiveSessions
from auth_service.application.mfa.letters import FactorLetters
from auth_service.application.ports import Audit, Change, RevocationKind, Sessions
from auth_service.application.ports.mfa import FactorsChanged
from auth_service.domain.mfa.factors import Method
from auth_service.domain.mfa.proofs import Proof, stepped_up
from auth_service.domain.session import SessionPolicy
from auth_service.domain.user import User
from chassis.clock import Clock


@dataclass(frozen=True, slots=True)
class FactorChanges:
    """Tells the feed, the user and the audit; raises what a session proves."""

    sessions: Sessions
    live: LiveSessions
    letters: FactorLetters
    policy: SessionPolicy
    audit: Audit
    clock: Clock

    def of(self, user: User, words: str) -> FactorsChanged:
        """A change of the user's factors just now, for the store to keep with it.

        *words* are what the user is told: a clause without a full stop.
        """
        now = self.clock.now()
        return FactorsChanged(
            tenant=user.tenant,
            user_id=user.id,
            at=now,
            forget_at=self.policy.forget_change_at(now),
            events=(self.letters.fact(user, words),),
            mails=(self.letters.mail(user, words),),
        )

    def happened(self, user: User, event: str, *, actor: str = "") -> None:
        """Note that the factors of *user* are others from now on."""
        self.live.forget_user(user.id)
        self.audit.record(event, tenant=user.tenant, actor=actor or user.id, target=user.id)

    async def prove(self, user: User, session_id: str, method: Method) -> Proof:
        """Take note that the session's user has just given *method*."""
        now = self.clock.now()
        proof = stepped_up(method, now)
        change = Change(RevocationKind.PRINCIPAL, user.id, self.policy.forget_change_at(now))
        try:
            await self.sessions.prove(session_id, proof, change)
        finally:
            self.live.forget(session_id)
        return proof
