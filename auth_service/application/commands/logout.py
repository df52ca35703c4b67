"""Logout: a session and all of its tokens die at once."""

from dataclasses import dataclass

from auth_service.application.live_sessions import LiveSessions
from auth_service.application.ports import Audit, Sessions
from auth_service.domain.events import SessionRevoked
from auth_service.domain.session import RevocationReason, SessionPolicy
from chassis.clock import Clock
from chassis.ids import Ids


@dataclass(frozen=True, slots=True)
class Logout:
    """End the caller's own session; ending it again changes nothing."""

    tenant: str
    user_id: str
    session_id: str


@dataclass(frozen=True, slots=True)
class LogoutHandler:
    """Returns when the revocation is durable and refused in this process."""

    sessions: Sessions
    live: LiveSessions
    policy: SessionPolicy
    audit: Audit
    clock: Clock
    ids: Ids

    async def __call__(self, command: Logout) -> None:
        now = self.clock.now()
        event = SessionRevoked(
            id=self.ids.new(),
            session_id=command.session_id,
            user_id=command.user_id,
            tenant=command.tenant,
            reason=RevocationReason.LOGOUT,
            at=now,
        )
        try:
            with self.audit.along(
                "logged_out",
                tenant=command.tenant,
                user_id=command.user_id,
                session_id=command.session_id,
            ):
                await self.sessions.revoke(event, forget_at=self.policy.forget_revocation_at(now))
        finally:
            # A caller who hangs up, or a store that fails after its commit, leaves the outcome open.
            self.live.forget(command.session_id)
