"""Who may change a user's second factors."""

from dataclasses import dataclass

from auth_service.application.live_sessions import LiveSessions
from auth_service.application.owned_methods import OwnedMethods
from auth_service.application.recent_authentication import Presence, RecentAuthentication
from auth_service.domain.errors import SessionOver
from auth_service.domain.mfa.errors import StepUpRequired
from auth_service.domain.mfa.factors import STRONG, Method
from auth_service.domain.mfa.proofs import RECENT
from auth_service.domain.user import User


@dataclass(frozen=True, slots=True)
class FactorGuard:
    """Asks for the best that the user has: who owns an app's codes cannot pass with a text message.

    Otherwise whoever takes over a telephone number could do away with everything stronger.
    """

    presence: RecentAuthentication
    owned: OwnedMethods
    live: LiveSessions

    async def require(self, presence: Presence) -> User:
        """The user, who may change their factors now.

        Raises:
            RecentAuthenticationNeeded: they have no factor, and their login is too long ago.
            StepUpRequired: they did not give the best that they have in the last minutes.
        """
        user = await self.presence.require(presence)
        methods = await self.owned.methods(user.id)
        if Method.TOTP not in methods:
            return user
        session = await self.live.find(presence.session_id, fresh=True)
        if session is None:
            raise SessionOver
        if not session.proof.is_strong:
            strong = [method for method in methods if method in STRONG]
            raise StepUpRequired(strong, int(RECENT.total_seconds()))
        return user
