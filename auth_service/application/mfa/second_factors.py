"""Checking codes: what login, step-up and the confirmation of a factor have in common."""

from dataclasses import dataclass
from typing import assert_never

from auth_service.application.mfa.letters import FactorLetters
from auth_service.application.mfa.tags import CodeTags
from auth_service.application.ports import Audit
from auth_service.application.ports.mfa import Factors, RecoveryCodes, SentCodes, Tallies
from auth_service.domain.mfa.challenges import tries_of
from auth_service.domain.mfa.codes import recovery_digest, tidy_recovery_code
from auth_service.domain.mfa.errors import TooManyCodes
from auth_service.domain.mfa.factors import Factor, FactorKind, Method
from auth_service.domain.mfa.totp import matching_step, tidy_code
from auth_service.domain.user import User
from chassis.clock import Clock
from chassis.crypto.safe import Safe
from chassis.crypto.sealing import IntegrityBroken


@dataclass(frozen=True, slots=True)
class SecondFactors:
    """The factors of users, and whether a code is one of theirs. A good code is good once."""

    factors: Factors
    recovery: RecoveryCodes
    sent: SentCodes
    tallies: Tallies
    seeds: Safe
    tags: CodeTags
    letters: FactorLetters
    audit: Audit
    clock: Clock

    async def verify(self, user: User, method: Method, code: str, *, subject: str) -> bool:
        """Whether *code* proves the user; it is spent by that. Every try is counted first.

        Args:
            user: who claims to be asked.
            method: what the code is said to come from.
            code: as it was typed.
            subject: what a sent code must have been sent for.

        Raises:
            TooManyCodes: too many were tried; this one was not looked at.
        """
        tries = tries_of(user.id)
        pause = await self.tallies.take([tries], self.clock.now())
        if pause is not None:
            self._tell("mfa_throttled", user, method)
            raise TooManyCodes(pause)
        if not await self._is_good(user.id, method, code, subject):
            self._tell("mfa_failed", user, method)
            return False
        await self.tallies.clear(tries.key)
        self._tell("mfa_passed", user, method)
        if method is Method.RECOVERY:
            left = await self.recovery.left(user.id)
            await self.letters.send(user, f"a recovery code was used, {left} are left")
        return True

    async def _is_good(self, user_id: str, method: Method, code: str, subject: str) -> bool:
        match method:
            case Method.RECOVERY:
                return await self._spend_recovery_code(user_id, code)
            case Method.TOTP | Method.EMAIL | Method.SMS:
                kind = FactorKind(method.value)
                factor = await self._factor(user_id, kind)
                if factor is None:
                    return False
                if kind.is_sent:
                    return await self.spend_sent(factor, code, subject=subject)
                return await self._spend_totp(factor, code)
            case Method.PASSWORD | Method.DEVICE:
                return False
            case _:
                assert_never(method)

    async def spend_sent(self, factor: Factor, code: str, *, subject: str) -> bool:
        """Whether *code* was sent for *subject* by this factor and is unused; it is used up."""
        now = self.clock.now()
        kept = await self.sent.find(subject, factor.kind.method, now)
        if kept is None or kept.user_id != factor.user_id:
            return False
        if not self.tags.matches(kept.tag, subject, tidy_code(code)):
            return False
        if not await self.sent.spend(subject, kept.tag, now):
            return False
        await self.factors.used(factor.id, now)
        return True

    def step_of(self, factor: Factor, code: str) -> int | None:
        """The time step that *code* of this TOTP factor is of, if it is a good and unused one.

        None as well for a seed that is not the one that was put there: that is for the audit.
        """
        try:
            seed = self.seeds.unseal(factor.sealed_seed, *seed_place(factor.tenant, factor.id))
        except IntegrityBroken:
            self.audit.record("mfa_seed_broken", tenant=factor.tenant, target=factor.id)
            return None
        return matching_step(seed, code, self.clock.now(), last_step=factor.last_step)

    async def _spend_totp(self, factor: Factor, code: str) -> bool:
        step = self.step_of(factor, code)
        return step is not None and await self.factors.spend_step(factor.id, step, self.clock.now())

    async def _spend_recovery_code(self, user_id: str, code: str) -> bool:
        tidy = tidy_recovery_code(code)
        if tidy is None:
            return False
        digest = recovery_digest(user_id, tidy)
        return await self.recovery.spend(user_id, digest, self.clock.now())

    def _tell(self, event: str, user: User, method: Method) -> None:
        self.audit.record(event, tenant=user.tenant, actor=user.id, method=method.value)

    async def _factor(self, user_id: str, kind: FactorKind) -> Factor | None:
        factors = await self.factors.confirmed(user_id)
        return next((factor for factor in factors if factor.kind is kind), None)


def seed_place(tenant: str, factor_id: str) -> tuple[str | int, ...]:
    """What a sealed seed belongs to: moved to another row, it cannot be opened."""
    return (tenant, "mfa_factors", factor_id, "sealed_seed", 1)
