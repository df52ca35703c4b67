"""Opening a session of the API for somebody who has proved who they are."""

from dataclasses import dataclass

from auth_service.application.accounts.login_watch import LoginWatch
from auth_service.application.grants import Grants, IssuedTokens
from auth_service.application.ports import Audit, Sessions
from auth_service.domain.mfa.proofs import Proof
from auth_service.domain.session import LiveSession, Origin, Session
from auth_service.domain.user import User
from chassis.clock import Clock
from chassis.ids import Ids


@dataclass(frozen=True, slots=True)
class SessionOpening:
    """Opens sessions, and tells that it did."""

    sessions: Sessions
    grants: Grants
    watch: LoginWatch
    audit: Audit
    clock: Clock
    ids: Ids

    async def open(
        self, user: User, methods: tuple[str, ...], origin: Origin, *, failures: int = 0
    ) -> IssuedTokens:
        """The tokens of a new session of *user*, proved by *methods* (`amr`, RFC 8176) just now.

        Somebody has failed *failures* times at that lately; see `LoginWatch`.
        """
        refresh = self.grants.refresh_token()
        now = self.clock.now()
        proof = Proof(now, methods)
        session = Session(self.ids.new(), user.id, user.tenant, origin, now, proof)
        issued = self.grants.issue(LiveSession(session.id, user, proof), refresh)
        with self.audit.along(
            "logged_in",
            tenant=user.tenant,
            user_id=user.id,
            session_id=session.id,
            network=origin.network,
        ):
            await self.sessions.open(session, refresh.grant)
        await self.watch.saw(user, origin, failures=failures)
        return issued
