"""Login: a password becomes a session."""

from dataclasses import dataclass, field
from typing import assert_never

from auth_service.application.authentication import (
    Authenticated,
    Authenticator,
    FactorRequired,
    PasswordAttempt,
    Refused,
)
from auth_service.application.grants import IssuedTokens
from auth_service.application.mfa.entrance import NO_EXTRAS, Entrance, Extras
from auth_service.application.opening import SessionOpening
from auth_service.domain.errors import TooManyGuesses, WrongCredentials
from auth_service.domain.session import Origin


@dataclass(frozen=True, slots=True)
class Login:
    """Open a session for whoever knows the password."""

    tenant: str
    email: str
    password: str = field(repr=False)
    origin: Origin
    extras: Extras = NO_EXTRAS


@dataclass(frozen=True, slots=True)
class LoginHandler:
    """Raises `WrongCredentials` or, after too many of those, `TooManyGuesses`.

    And for users with a second factor what `Entrance.enter` raises.
    """

    authenticate: Authenticator
    opening: SessionOpening
    entrance: Entrance

    async def __call__(self, command: Login) -> IssuedTokens:
        outcome = await self.authenticate(
            PasswordAttempt(command.tenant, command.email, command.password, command.origin)
        )
        match outcome:
            case Authenticated(user, methods, failures):
                return await self.opening.open(user, methods, command.origin, failures=failures)
            case FactorRequired():
                return await self.entrance.enter(outcome, command.extras, command.origin)
            case Refused(retry_after):
                raise WrongCredentials if retry_after is None else TooManyGuesses(retry_after)
            case _:
                assert_never(outcome)
