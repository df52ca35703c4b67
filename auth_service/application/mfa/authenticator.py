"""Asking those who have a second factor for it, wherever somebody proves who they are."""

from dataclasses import dataclass

from auth_service.application.authentication import (
    Authenticated,
    Authentication,
    Authenticator,
    FactorRequired,
    PasswordAttempt,
)
from auth_service.application.owned_methods import OwnedMethods


@dataclass(frozen=True, slots=True)
class FactorAuthenticator:
    """The port `Authenticator`: what *first* proves is not enough for those who have a factor."""

    first: Authenticator
    owned: OwnedMethods

    async def __call__(self, attempt: PasswordAttempt) -> Authentication:
        """See `Authenticator`."""
        outcome = await self.first(attempt)
        if not isinstance(outcome, Authenticated):
            return outcome
        methods = await self.owned.methods(outcome.user.id)
        if not methods:
            return outcome
        factors = tuple(method.value for method in methods)
        return FactorRequired(outcome.user, factors, outcome.methods, outcome.failures)
