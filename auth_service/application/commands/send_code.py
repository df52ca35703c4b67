"""SendLoginCode and SendStepUpCode: a code goes out by mail or text message."""

from dataclasses import dataclass, field

from auth_service.application.live_sessions import LiveSessions
from auth_service.application.mfa.pending import PendingLogins, login_subject
from auth_service.application.mfa.sending import CodeSending
from auth_service.application.ports.mfa import Factors
from auth_service.domain.mfa.errors import MethodNotAvailable
from auth_service.domain.mfa.factors import Method
from auth_service.domain.user import User


@dataclass(frozen=True, slots=True)
class SendLoginCode:
    """Send a code for the login that *mfa_token* stands for."""

    mfa_token: str = field(repr=False)
    method: Method


@dataclass(frozen=True, slots=True)
class SendStepUpCode:
    """Send a code by which the caller can prove again who they are."""

    session_id: str
    method: Method


@dataclass(frozen=True, slots=True)
class SendLoginCodeHandler:
    """Raises `MfaTokenRefused`, `MethodNotAvailable` or `TooManyCodesSent`."""

    pending: PendingLogins
    factors: Factors
    sending: CodeSending

    async def __call__(self, command: SendLoginCode) -> None:
        challenge = await self.pending.find(command.mfa_token)
        user = await self.pending.owner_of(challenge)
        await _send(self.factors, self.sending, user, command.method, login_subject(challenge.id))


@dataclass(frozen=True, slots=True)
class SendStepUpCodeHandler:
    """Raises `SessionOver`, `MethodNotAvailable` or `TooManyCodesSent`."""

    live: LiveSessions
    factors: Factors
    sending: CodeSending

    async def __call__(self, command: SendStepUpCode) -> None:
        session = await self.live.require(command.session_id)
        subject = step_up_subject(session.id)
        await _send(self.factors, self.sending, session.user, command.method, subject)


def step_up_subject(session_id: str) -> str:
    """What a code that is sent for a step-up is good for."""
    return f"step-up:{session_id}"


async def _send(
    factors: Factors, sending: CodeSending, user: User, method: Method, subject: str
) -> None:
    for factor in await factors.confirmed(user.id):
        if factor.kind.method is method:
            return await sending.send(user, factor, subject=subject)
    raise MethodNotAvailable
