"""RemoveFactor, RenewRecoveryCodes and ResetFactors: what happens to factors that count."""

from dataclasses import dataclass

from auth_service.application.accounts.seniority import Seniority
from auth_service.application.actor import Actor
from auth_service.application.mfa.changes import FactorChanges
from auth_service.application.mfa.guard import FactorGuard
from auth_service.application.mfa.recovery import RecoveryCodeMaker
from auth_service.application.ports.mfa import Factors
from auth_service.application.recent_authentication import Presence, RecentAuthentication
from auth_service.domain.mfa.errors import FactorNotFound, NoFactor


@dataclass(frozen=True, slots=True)
class RemoveFactor:
    """Take one of the caller's own factors away."""

    presence: Presence
    factor_id: str


@dataclass(frozen=True, slots=True)
class RenewRecoveryCodes:
    """Give the caller new recovery codes; the old ones are void."""

    presence: Presence


@dataclass(frozen=True, slots=True)
class ResetFactors:
    """Take all factors of a user away who has lost them: an administrator, *actor*, does that."""

    presence: Presence
    actor: Actor
    user_id: str


@dataclass(frozen=True, slots=True)
class RemoveFactorHandler:
    """Raises `FactorNotFound`, `StepUpRequired`."""

    guard: FactorGuard
    factors: Factors
    changes: FactorChanges

    async def __call__(self, command: RemoveFactor) -> None:
        user = await self.guard.require(command.presence)
        change = self.changes.of(user, "a second factor was taken away")
        if not await self.factors.remove(command.factor_id, change):
            raise FactorNotFound
        self.changes.happened(user, "factor_removed")


@dataclass(frozen=True, slots=True)
class RenewRecoveryCodesHandler:
    """Raises `NoFactor`, `StepUpRequired`."""

    guard: FactorGuard
    factors: Factors
    maker: RecoveryCodeMaker
    changes: FactorChanges

    async def __call__(self, command: RenewRecoveryCodes) -> tuple[str, ...]:
        user = await self.guard.require(command.presence)
        if not await self.factors.confirmed(user.id):
            raise NoFactor
        codes = await self.maker.renew(user.id)
        self.changes.happened(user, "recovery_codes_renewed")
        await self.changes.letters.send(user, "new recovery codes were made, the old ones are void")
        return codes


@dataclass(frozen=True, slots=True)
class ResetFactorsHandler:
    """Raises what `RecentAuthentication` and `Seniority` do: nobody opens a mightier account."""

    presence: RecentAuthentication
    seniority: Seniority
    factors: Factors
    changes: FactorChanges

    async def __call__(self, command: ResetFactors) -> None:
        await self.presence.require(command.presence)
        user = await self.seniority.find(command.actor, command.user_id)
        words = "an administrator took away your second factors"
        await self.factors.remove_all(self.changes.of(user, words))
        self.changes.happened(user, "factors_reset", actor=command.actor.id)
