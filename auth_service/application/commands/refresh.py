"""Refresh: a refresh token is spent for an access token and its own successor."""

from dataclasses import dataclass
from typing import assert_never

from auth_service.application.grants import Grants, IssuedTokens
from auth_service.application.live_sessions import LiveSessions
from auth_service.application.opaque_tokens import digest_of, has_shape
from auth_service.application.ports import (
    Audit,
    NotRedeemable,
    Reused,
    RevocationTimes,
    Rotated,
    Sessions,
)
from auth_service.domain.errors import RefreshTokenRefused
from auth_service.domain.session import Origin, SessionPolicy
from chassis.clock import Clock
from chassis.ids import Ids


@dataclass(frozen=True, slots=True)
class Refresh:
    """Carry a session on."""

    refresh_token: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class RefreshHandler:
    """Raises `RefreshTokenRefused`; when the token had been spent before, its session is dead."""

    sessions: Sessions
    live: LiveSessions
    grants: Grants
    policy: SessionPolicy
    audit: Audit
    clock: Clock
    ids: Ids

    async def __call__(self, command: Refresh) -> IssuedTokens:
        if not has_shape(command.refresh_token):
            raise RefreshTokenRefused
        fresh = self.grants.refresh_token()
        now = self.clock.now()
        outcome = await self.sessions.redeem(
            digest_of(command.refresh_token),
            fresh.grant,
            event_id=self.ids.new(),
            times=RevocationTimes(now, self.policy.forget_revocation_at(now)),
        )
        match outcome:
            case Rotated(session):
                return self.grants.issue(session, fresh)
            case Reused():
                self._reuse_detected(outcome, command.origin)
                raise RefreshTokenRefused
            case NotRedeemable():
                self.audit.record("refresh_refused", network=command.origin.network)
                raise RefreshTokenRefused
            case _:
                assert_never(outcome)

    def _reuse_detected(self, reused: Reused, origin: Origin) -> None:
        self.live.forget(reused.session_id)
        self.audit.record(
            "refresh_reused",
            tenant=reused.tenant,
            session_id=reused.session_id,
            user_id=reused.user_id,
            outcome="done" if reused.revoked else "refused",
            generation=reused.generation,
            revoked=reused.revoked,
            network=origin.network,
        )
