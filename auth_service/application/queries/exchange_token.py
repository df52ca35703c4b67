"""ExchangeToken: a user's access token becomes a short-lived one for a single service.

The gateway asks for it, so that users' tokens never travel inside. What the internal token says
about the user comes from the store, not from the access token: a role that was taken away is gone.
"""

from dataclasses import dataclass

from auth_service.application.accounts.sightings import Sightings
from auth_service.application.key_ring import KeyRing
from auth_service.application.live_sessions import LiveSessions
from auth_service.application.ports import AccessClaims, Audit, TokenGrant, Tokens
from auth_service.application.role_books import RoleBooks
from auth_service.domain.errors import AccessTokenRefused, InputInvalid
from auth_service.domain.mfa_requirement import Requirement
from auth_service.domain.oauth.scopes import narrowed
from auth_service.domain.session import LiveSession, SessionPolicy
from auth_service.domain.signing_key import KeyUse
from chassis.clock import Clock
from chassis.errors import FieldProblem
from chassis.ids import Ids

AUDIENCES = frozenset({"svc:auth", "svc:workflow", "svc:notification"})


@dataclass(frozen=True, slots=True)
class ExchangeToken:
    """Let *actor* act for the bearer of the access token at the service *audience*.

    *fresh*: somebody's rights changed a moment ago, so believe nothing that was read before.
    """

    access_token: str
    audience: str
    actor: str
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class InternalToken:
    """The answer; `expires_in` in seconds."""

    token: str
    expires_in: int


@dataclass(frozen=True, slots=True)
class ExchangeTokenHandler:
    """Raises `AccessTokenRefused`, also when the session is over. Never writes."""

    live: LiveSessions
    sightings: Sightings
    tokens: Tokens
    ring: KeyRing
    books: RoleBooks
    policy: SessionPolicy
    requirement: Requirement
    audit: Audit
    clock: Clock
    ids: Ids

    async def __call__(self, query: ExchangeToken) -> InternalToken:
        if query.audience not in AUDIENCES:
            raise InputInvalid([FieldProblem("audience", "Unknown service")])
        now = self.clock.now()
        verifying = self.ring.verifying(KeyUse.ACCESS)
        try:
            claims = self.tokens.verify_access_token(query.access_token, verifying, now)
            session = await self._session_of(claims, fresh=query.fresh)
        except AccessTokenRefused as exc:
            self.audit.record("access_token_refused", reason=exc.reason, actor=query.actor)
            raise
        user = session.user
        permissions = await self.books.permissions_of(user.tenant, user.roles, fresh=query.fresh)
        permissions = self.requirement.allowed(session, permissions)
        if claims.delegation is not None:
            permissions = narrowed(permissions, claims.delegation.scopes)
        expires_at = min(now + self.policy.internal_token, claims.expires_at)
        token = self.tokens.internal_token(
            self.ring.signing(KeyUse.INTERNAL),
            TokenGrant(self.ids.new(), session, now, expires_at, permissions, claims.delegation),
            audience=query.audience,
            actor=query.actor,
        )
        self.sightings.saw(session.id)
        return InternalToken(token, int((expires_at - now).total_seconds()))

    async def _session_of(self, claims: AccessClaims, *, fresh: bool) -> LiveSession:
        session = await self.live.find(claims.session_id, fresh=fresh)
        if session is None:
            raise AccessTokenRefused("the session is over")
        if (session.user.id, session.user.tenant) != (claims.user_id, claims.tenant):
            raise AccessTokenRefused("the session is somebody else's")
        return session
