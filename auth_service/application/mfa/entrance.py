"""Letting somebody in who owes a second factor: by a device, a code at once, or later."""

from dataclasses import dataclass, field, replace
from typing import Final

from auth_service.application.authentication import FactorRequired
from auth_service.application.grants import IssuedTokens
from auth_service.application.mfa.pending import PendingLogins
from auth_service.application.mfa.remembered import RememberedDevices
from auth_service.application.mfa.second_factors import SecondFactors
from auth_service.application.opening import SessionOpening
from auth_service.domain.mfa.codes import tidy_recovery_code
from auth_service.domain.mfa.errors import CodeRefused, SecondFactorNeeded
from auth_service.domain.mfa.factors import Method
from auth_service.domain.mfa.proofs import amr_of
from auth_service.domain.session import Origin
from auth_service.domain.user import User


@dataclass(frozen=True, slots=True)
class Extras:
    """What comes with a password: a code, a device's token, and whether to remember the device."""

    otp: str = field(default="", repr=False)
    device_token: str = field(default="", repr=False)
    remember_device: bool = False


NO_EXTRAS: Final = Extras()


@dataclass(frozen=True, slots=True)
class Entrance:
    """Opens sessions for users with a second factor."""

    second: SecondFactors
    pending: PendingLogins
    remembered: RememberedDevices
    opening: SessionOpening

    async def enter(self, owed: FactorRequired, extras: Extras, origin: Origin) -> IssuedTokens:
        """A session, for a remembered device or a good code.

        Raises:
            SecondFactorNeeded: neither was given; it says how to go on.
            CodeRefused: the code is wrong.
            TooManyCodes: too many were tried.
        """
        user = owed.user
        if extras.device_token:
            successor = await self.remembered.recognise(user, extras.device_token)
            if successor is not None:
                methods = amr_of(Method.PASSWORD, Method.DEVICE)
                issued = await self.opening.open(user, methods, origin, failures=owed.failures)
                return replace(issued, device_token=successor)
        if not extras.otp:
            challenge = await self.pending.open(user, owed.factors)
            raise SecondFactorNeeded(challenge.token, challenge.methods, challenge.expires_in)
        method = Method.RECOVERY if tidy_recovery_code(extras.otp) else Method.TOTP
        if not await self.second.verify(user, method, extras.otp, subject=""):
            raise CodeRefused
        return await self.admit(user, method, origin, remember=extras.remember_device)

    async def admit(
        self, user: User, method: Method, origin: Origin, *, remember: bool
    ) -> IssuedTokens:
        """A session for *user*, who gave the password and a good code."""
        issued = await self.opening.open(user, amr_of(Method.PASSWORD, method), origin)
        if not remember:
            return issued
        return replace(issued, device_token=await self.remembered.remember(user, origin))
