"""StepUp: somebody who is logged in proves again who they are."""

from dataclasses import dataclass, field

from auth_service.application.commands.send_code import step_up_subject
from auth_service.application.grants import Grants
from auth_service.application.live_sessions import LiveSessions
from auth_service.application.mfa.changes import FactorChanges
from auth_service.application.mfa.second_factors import SecondFactors
from auth_service.application.owned_methods import OwnedMethods
from auth_service.application.recent_authentication import Presence, RecentAuthentication
from auth_service.domain.errors import SessionOver
from auth_service.domain.mfa.errors import CodeRefused, StepUpRequired
from auth_service.domain.mfa.factors import Method
from auth_service.domain.mfa.proofs import RECENT, Proof
from auth_service.domain.session import LiveSession


@dataclass(frozen=True, slots=True)
class StepUp:
    """Raise what the caller's session proves, by a *secret*: a code, or the password."""

    presence: Presence
    method: Method
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SteppedUp:
    """A new access token of the session, good for `expires_in` seconds, and what it proves."""

    access_token: str
    expires_in: int
    proof: Proof


@dataclass(frozen=True, slots=True)
class StepUpHandler:
    """Raises `SessionOver`, `CodeRefused`, `TooManyCodes`; `StepUpRequired` for a weaker method."""

    live: LiveSessions
    owned: OwnedMethods
    second: SecondFactors
    presence: RecentAuthentication
    changes: FactorChanges
    grants: Grants

    async def __call__(self, command: StepUp) -> SteppedUp:
        session = await self.live.require(command.presence.session_id)
        await self._verify(session, command)
        proof = await self.changes.prove(session.user, session.id, command.method)
        renewed = await self.live.find(session.id, fresh=True)
        if renewed is None:
            raise SessionOver
        token, expires_in = self.grants.access_token(renewed)
        return SteppedUp(token, expires_in, proof)

    async def _verify(self, session: LiveSession, command: StepUp) -> None:
        methods = await self.owned.methods(session.user.id)
        if not methods and command.method is Method.PASSWORD:
            await self.presence.require(command.presence)
            return
        if command.method not in methods:
            raise StepUpRequired(methods or (Method.PASSWORD,), int(RECENT.total_seconds()))
        good = await self.second.verify(
            session.user, command.method, command.secret, subject=step_up_subject(session.id)
        )
        if not good:
            raise CodeRefused
