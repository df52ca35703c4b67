"""CompleteLogin: a login that waits for its second factor gets it."""

from dataclasses import dataclass, field

from auth_service.application.grants import IssuedTokens
from auth_service.application.mfa.entrance import Entrance
from auth_service.application.mfa.pending import PendingLogins
from auth_service.domain.mfa.factors import Method
from auth_service.domain.session import Origin


@dataclass(frozen=True, slots=True)
class CompleteLogin:
    """Open the session that *mfa_token* waits for, with a code."""

    mfa_token: str = field(repr=False)
    method: Method
    code: str = field(repr=False)
    remember_device: bool
    origin: Origin


@dataclass(frozen=True, slots=True)
class CompleteLoginHandler:
    """Raises `MfaTokenRefused`, `ChallengeBurnt`, `TooManyCodes` or `CodeRefused`."""

    pending: PendingLogins
    entrance: Entrance

    async def __call__(self, command: CompleteLogin) -> IssuedTokens:
        user = await self.pending.meet(command.mfa_token, command.method, command.code)
        return await self.entrance.admit(
            user, command.method, command.origin, remember=command.remember_device
        )
