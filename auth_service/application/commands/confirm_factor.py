"""ConfirmFactor: the first code of a factor makes it count."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final

from auth_service.application.commands.enrol_factor import confirmation_subject
from auth_service.application.live_sessions import LiveSessions
from auth_service.application.mfa.changes import FactorChanges
from auth_service.application.mfa.recovery import RecoveryCodeMaker
from auth_service.application.mfa.second_factors import SecondFactors
from auth_service.domain.mfa.challenges import confirmations_of
from auth_service.domain.mfa.errors import CodeInvalid, NothingToConfirm, TooManyCodes
from auth_service.domain.mfa.factors import Factor, FactorKind
from chassis.clock import Clock

PENDING: Final = timedelta(minutes=15)
"""For how long a factor waits for its first code."""


@dataclass(frozen=True, slots=True)
class ConfirmFactor:
    """Let the caller's factor of this kind count from now on."""

    session_id: str
    kind: FactorKind
    code: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The factor, and with somebody's first one the recovery codes, shown this once."""

    factor: Factor
    recovery_codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ConfirmFactorHandler:
    """Raises `SessionOver`, `NothingToConfirm`, `CodeInvalid` or `TooManyCodes`."""

    live: LiveSessions
    second: SecondFactors
    maker: RecoveryCodeMaker
    changes: FactorChanges
    clock: Clock

    async def __call__(self, command: ConfirmFactor) -> Confirmed:
        session = await self.live.require(command.session_id)
        user, now = session.user, self.clock.now()
        pending = await self.second.factors.pending(user.id, command.kind)
        if pending is None or not timedelta() <= now - pending.created_at <= PENDING:
            raise NothingToConfirm
        confirmed = replace(await self._checked(pending, command.code), confirmed_at=now)
        words = f"a second factor was set up ({command.kind.value})"
        if not await self.second.factors.confirm(confirmed, self.changes.of(user, words)):
            raise NothingToConfirm
        codes = () if await self.maker.recovery.left(user.id) else await self.maker.renew(user.id)
        await self.changes.prove(user, session.id, command.kind.method)
        self.changes.happened(user, "factor_confirmed")
        return Confirmed(confirmed, codes)

    async def _checked(self, pending: Factor, code: str) -> Factor:
        """The factor as it is after *code*. Every try is counted first."""
        pause = await self.second.tallies.take([confirmations_of(pending.id)], self.clock.now())
        if pause is not None:
            raise TooManyCodes(pause)
        if pending.kind is FactorKind.TOTP:
            step = self.second.step_of(pending, code)
            if step is None:
                raise CodeInvalid
            return replace(pending, last_step=step)
        subject = confirmation_subject(pending)
        if not await self.second.spend_sent(pending, code, subject=subject):
            raise CodeInvalid
        return pending
