"""Somebody with a second factor, and the telephone in their pocket."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pyotp

from auth_service.application.commands.complete_login import CompleteLogin
from auth_service.application.commands.confirm_factor import Confirmed, ConfirmFactor
from auth_service.application.commands.enrol_factor import EnrolEmail, EnrolSms, EnrolTotp
from auth_service.application.commands.login import Login
from auth_service.application.commands.send_code import SendLoginCode, SendStepUpCode
from auth_service.application.commands.step_up import SteppedUp, StepUp
from auth_service.application.grants import IssuedTokens
from auth_service.application.mfa.entrance import Extras
from auth_service.application.recent_authentication import Presence
from auth_service.config import Settings
from auth_service.domain.mfa.errors import SecondFactorNeeded
from auth_service.domain.mfa.factors import FactorKind, Method
from auth_service.domain.tenant import DEFAULT_TENANT
from auth_service.domain.user import User
from tests.unit.auth_service.fakes import EMAIL, HOME, PASSWORD, Identity, identity, session_of

PHONE = "+41441234567"
SIX = re.compile(r"\b[0-9]{6}\b")


class Pocket:
    """A telephone: keeps what was sent to it."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, str]] = []

    async def send(self, phone: str, text: str) -> None:
        self.messages.append((phone, text))


@dataclass(slots=True)
class Person:
    """A user with a session; time passes between any two codes of the app."""

    auth: Identity
    user: User
    issued: IssuedTokens
    secret: str = ""
    recovery: tuple[str, ...] = ()
    pocket: Pocket = field(default_factory=Pocket)

    @property
    def session(self) -> str:
        return session_of(self.issued)

    @property
    def presence(self) -> Presence:
        return Presence(DEFAULT_TENANT, self.user.id, self.session, HOME)

    def otp(self) -> str:
        """The code that the app shows."""
        return pyotp.TOTP(self.secret).at(self.auth.clock.now())

    def fresh_otp(self) -> str:
        """A code that was not used yet: the next step has begun."""
        self.auth.clock.advance(30)
        return self.otp()

    async def enrol_totp(self) -> Confirmed:
        made = await self.auth.app.mfa.enrol_totp(EnrolTotp(self.presence))
        self.secret = made.secret
        confirmed = await self.confirm(FactorKind.TOTP, self.fresh_otp())
        self.recovery = confirmed.recovery_codes or self.recovery
        return confirmed

    async def enrol_sms(self) -> Confirmed:
        await self.auth.app.mfa.enrol_sms(EnrolSms(self.presence, PHONE))
        return await self.confirm(FactorKind.SMS, self.texted())

    async def enrol_email(self) -> Confirmed:
        await self.auth.app.mfa.enrol_email(EnrolEmail(self.presence))
        return await self.confirm(FactorKind.EMAIL, await self.mailed())

    async def confirm(self, kind: FactorKind, code: str) -> Confirmed:
        return await self.auth.app.mfa.confirm(ConfirmFactor(self.session, kind, code))

    async def login(self, extras: Extras | None = None) -> IssuedTokens:
        command = Login(DEFAULT_TENANT, EMAIL, PASSWORD, HOME)
        if extras is not None:
            command = replace(command, extras=extras)
        self.issued = await self.auth.app.commands.login(command)
        return self.issued

    async def challenged(self) -> str:
        """The token of a login that waits."""
        try:
            await self.login()
        except SecondFactorNeeded as exc:
            return {each.field: each.message for each in exc.details}["mfa_token"]
        raise AssertionError("no second factor was asked for")

    async def complete(
        self, token: str, method: Method, code: str, *, remember: bool = False
    ) -> IssuedTokens:
        command = CompleteLogin(token, method, code, remember, HOME)
        self.issued = await self.auth.app.mfa.complete_login(command)
        return self.issued

    async def send_login_code(self, token: str, method: Method) -> None:
        await self.auth.app.mfa.send_login_code(SendLoginCode(token, method))

    async def send_step_up_code(self, method: Method) -> None:
        await self.auth.app.mfa.send_step_up_code(SendStepUpCode(self.session, method))

    async def step_up(self, method: Method, secret: str) -> SteppedUp:
        password = secret if method is Method.PASSWORD else None
        presence = replace(self.presence, password=password)
        return await self.auth.app.mfa.step_up(StepUp(presence, method, secret))

    def texted(self) -> str:
        """The code in the last text message."""
        found = SIX.search(self.pocket.messages[-1][1])
        assert found is not None
        return found.group()

    async def mailed(self) -> str:
        """The code in the last mail that has one."""
        letters = [each for each in await self.auth.mailed() if each.template == "code"]
        return letters[-1].facts["code"]


@asynccontextmanager
async def person(
    settings: Settings | None = None, *, path: Path | None = None
) -> AsyncIterator[Person]:
    """Ada, registered and logged in, without a second factor."""
    pocket = Pocket()
    async with identity(settings, path=path, messenger=pocket) as auth:
        user = await auth.register()
        await auth.verify(user)
        yield Person(auth, user, await auth.login(), pocket=pocket)
