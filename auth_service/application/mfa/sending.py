"""Sending short codes, by mail or text message, and no more of them than is borne."""

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from auth_service.application.mfa.tags import CodeTags
from auth_service.application.ports import Audit, Randomness
from auth_service.application.ports.mail import Mail
from auth_service.application.ports.mfa import Messenger, SentCodes, Tallies
from auth_service.application.postman import shown_time
from auth_service.domain.mfa.challenges import SendingPolicy
from auth_service.domain.mfa.codes import CODE_LIFE, CODE_NOISE, SentCode, short_code
from auth_service.domain.mfa.errors import MethodNotAvailable, TooManyCodesSent
from auth_service.domain.mfa.factors import Factor, FactorKind
from auth_service.domain.user import User
from chassis.clock import Clock


@dataclass(frozen=True, slots=True)
class CodeSending:
    """Makes a code, keeps its tag, and sends it on its way. A newer code makes an older one void."""

    sent: SentCodes
    tallies: Tallies
    tags: CodeTags
    mail: Mail
    messenger: Messenger
    policy: SendingPolicy
    randomness: Randomness
    audit: Audit
    clock: Clock

    async def send(self, user: User, factor: Factor, *, subject: str) -> None:
        """Send *user* a code for *subject*, to where the codes of their *factor* go.

        Raises:
            MethodNotAvailable: its codes are not sent.
            TooManyCodesSent: to there, for this user, or in this tenant.
            Unavailable: it could not be handed over.
        """
        target = destination(factor, user)
        now = self.clock.now()
        await self._throttle(factor, target, now)
        code = short_code(self.randomness.token_bytes(CODE_NOISE))
        kept = SentCode(
            subject,
            factor.kind.method,
            factor.user_id,
            self.tags.of(subject, code),
            now + CODE_LIFE,
        )
        await self.sent.put(kept)
        await self._hand_over(factor, target, code, kept.expires_at)
        self._tell("mfa_code_sent", factor)

    async def _throttle(self, factor: Factor, target: str, now: datetime) -> None:
        quotas = self.policy.quotas(factor.tenant, factor.user_id, factor.kind.value, target)
        pause = await self.tallies.take(quotas, now)
        if pause is not None:
            self._tell("mfa_sending_throttled", factor)
            raise TooManyCodesSent(pause)

    async def _hand_over(
        self, factor: Factor, target: str, code: str, expires_at: datetime
    ) -> None:
        if factor.kind is FactorKind.SMS:
            await self.messenger.send(target, f"Your code is {code}. Tell it to nobody.")
            return
        facts = {"code": code, "expires": shown_time(expires_at)}
        await self.mail.send(
            factor.tenant, target, "code", facts, user_id=factor.user_id, good_for=CODE_LIFE
        )

    def _tell(self, event: str, factor: Factor) -> None:
        self.audit.record(
            event, tenant=factor.tenant, actor=factor.user_id, method=factor.kind.value
        )


def destination(factor: Factor, user: User) -> str:
    """Where the codes of *user*'s *factor* go. Mail always goes to the address of today.

    Raises:
        MethodNotAvailable: its codes are not sent, or the address is not known to be the user's.
    """
    match factor.kind:
        case FactorKind.TOTP:
            raise MethodNotAvailable
        case FactorKind.SMS:
            return factor.target
        case FactorKind.EMAIL:
            if not user.email_verified:
                raise MethodNotAvailable
            return user.email.text
        case _:
            assert_never(factor.kind)
