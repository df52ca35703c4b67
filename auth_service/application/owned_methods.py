"""What users can prove themselves with."""

from dataclasses import dataclass

from auth_service.application.ports.mfa import Factors, RecoveryCodes
from auth_service.domain.mfa.factors import Method, methods_of


@dataclass(frozen=True, slots=True)
class OwnedMethods:
    """The methods that users have beside their password."""

    factors: Factors
    recovery: RecoveryCodes

    async def methods(self, user_id: str) -> tuple[Method, ...]:
        """The strongest first; nothing when the user has no second factor."""
        factors = await self.factors.confirmed(user_id)
        return methods_of(factors, await self.recovery.left(user_id) if factors else 0)
