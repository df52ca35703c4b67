"""EnrolTotp, EnrolEmail, EnrolSms: a second factor is set up; it counts once it is confirmed."""

from dataclasses import dataclass, replace

from auth_service.application.mfa.guard import FactorGuard
from auth_service.application.mfa.second_factors import seed_place
from auth_service.application.mfa.sending import CodeSending
from auth_service.application.ports import Audit, Randomness
from auth_service.application.ports.mfa import Factors
from auth_service.application.recent_authentication import Presence
from auth_service.domain.errors import InputInvalid
from auth_service.domain.mfa.errors import EmailNotVerified
from auth_service.domain.mfa.factors import Factor, FactorKind
from auth_service.domain.mfa.phone import phone_problems, tidy_phone
from auth_service.domain.mfa.totp import SEED_BYTES, provisioning_uri, secret_of
from auth_service.domain.user import User
from chassis.clock import Clock
from chassis.crypto.safe import Safe
from chassis.ids import Ids


@dataclass(frozen=True, slots=True)
class EnrolTotp:
    """Make a seed for an authenticator app."""

    presence: Presence


@dataclass(frozen=True, slots=True)
class EnrolEmail:
    """Send codes to the caller's own, confirmed address."""

    presence: Presence


@dataclass(frozen=True, slots=True)
class EnrolSms:
    """Send codes to a telephone number."""

    presence: Presence
    phone: str


@dataclass(frozen=True, slots=True)
class NewTotp:
    """What an app needs. It is shown this once."""

    factor: Factor
    secret: str
    uri: str


@dataclass(frozen=True, slots=True)
class Enrolment:
    """Keeps factors that are not confirmed yet, for those who may change theirs."""

    guard: FactorGuard
    factors: Factors
    audit: Audit
    clock: Clock
    ids: Ids

    def begin(self, user: User, kind: FactorKind, *, target: str = "") -> Factor:
        """A factor of *user* that is not kept yet."""
        now = self.clock.now()
        return Factor(self.ids.new(), user.id, user.tenant, kind, target, now)

    async def keep(self, factor: Factor) -> None:
        """Keep it until it is confirmed, or another of its kind takes its place."""
        await self.factors.enrol(factor)
        self.audit.record(
            "factor_enrolled",
            tenant=factor.tenant,
            actor=factor.user_id,
            target=factor.id,
            method=factor.kind.value,
        )


@dataclass(frozen=True, slots=True)
class EnrolTotpHandler:
    """Raises `StepUpRequired` or `RecentAuthenticationNeeded`."""

    enrolment: Enrolment
    seeds: Safe
    randomness: Randomness
    issuer: str

    async def __call__(self, command: EnrolTotp) -> NewTotp:
        user = await self.enrolment.guard.require(command.presence)
        seed = self.randomness.token_bytes(SEED_BYTES)
        begun = self.enrolment.begin(user, FactorKind.TOTP)
        sealed = self.seeds.seal(seed, *seed_place(begun.tenant, begun.id))
        factor = replace(begun, sealed_seed=sealed)
        await self.enrolment.keep(factor)
        uri = provisioning_uri(seed, account=user.email.text, issuer=self.issuer)
        return NewTotp(factor, secret_of(seed), uri)


@dataclass(frozen=True, slots=True)
class EnrolEmailHandler:
    """Raises `EmailNotVerified` or `TooManyCodesSent`, or as `EnrolTotpHandler` does."""

    enrolment: Enrolment
    sending: CodeSending

    async def __call__(self, command: EnrolEmail) -> Factor:
        user = await self.enrolment.guard.require(command.presence)
        if not user.email_verified:
            raise EmailNotVerified
        return await _enrol_sent(
            self.enrolment, self.sending, user, FactorKind.EMAIL, user.email.text
        )


@dataclass(frozen=True, slots=True)
class EnrolSmsHandler:
    """Raises `InputInvalid`, `SmsNotConfigured`, `TooManyCodesSent`, or as `EnrolTotpHandler`."""

    enrolment: Enrolment
    sending: CodeSending

    async def __call__(self, command: EnrolSms) -> Factor:
        user = await self.enrolment.guard.require(command.presence)
        phone = tidy_phone(command.phone)
        problems = phone_problems(phone)
        if problems:
            raise InputInvalid(problems)
        return await _enrol_sent(self.enrolment, self.sending, user, FactorKind.SMS, phone)


def confirmation_subject(factor: Factor) -> str:
    """What a code that is sent to confirm *factor* is good for."""
    return f"confirm:{factor.id}"


async def _enrol_sent(
    enrolment: Enrolment, sending: CodeSending, user: User, kind: FactorKind, target: str
) -> Factor:
    factor = enrolment.begin(user, kind, target=target)
    await enrolment.keep(factor)
    await sending.send(user, factor, subject=confirmation_subject(factor))
    return factor
