"""Proving who somebody is, apart from what it is for: a session of the API, or a page in a browser.

Unknown user and wrong password take the same steps: the same reads, one Argon2id, the same
answer. Only failures are throttled, see `auth_service.application.guessing`.
"""

from dataclasses import dataclass, field
from typing import Protocol

from auth_service.application.guessing import Guess, Guesses
from auth_service.application.ports import Audit, PasswordHasher, Sessions, Users
from auth_service.domain.account import AccountPolicy
from auth_service.domain.errors import (
    AccountDisabled,
    EmailNotVerified,
    InputInvalid,
    TooManyGuesses,
)
from auth_service.domain.policy import MAX_GUESS, tidy_password
from auth_service.domain.session import UNKNOWN_NETWORK, Origin
from auth_service.domain.user import MAX_EMAIL, User, email_key, email_problems
from chassis.clock import Clock
from chassis.errors import FieldProblem

_NOBODY = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, slots=True)
class PasswordAttempt:
    """Somebody claims to be the owner of *email*."""

    tenant: str
    email: str
    password: str = field(repr=False)
    origin: Origin


@dataclass(frozen=True, slots=True)
class Authenticated:
    """It is *user*, proved by *methods* (`amr`, RFC 8176)."""

    user: User
    methods: tuple[str, ...] = ("pwd",)
    failures: int = 0
    """How often somebody has failed at this account lately."""


@dataclass(frozen=True, slots=True)
class FactorRequired:
    """It may be *user*: *methods* proved so much, one of *factors* must prove the rest."""

    user: User
    factors: tuple[str, ...]
    methods: tuple[str, ...] = ("pwd",)
    failures: int = 0


@dataclass(frozen=True, slots=True)
class Refused:
    """It is not proved; *retry_after* seconds when there were too many attempts already."""

    retry_after: float | None = None


Authentication = Authenticated | FactorRequired | Refused


class Authenticator(Protocol):
    """Tells who somebody is."""

    async def __call__(self, attempt: PasswordAttempt) -> Authentication:
        """The outcome of *attempt*; refusals are throttled and audited already.

        Raises:
            InputInvalid: something is missing or too long.
            AccountDisabled: it is them, but their account is deactivated.
            EmailNotVerified: it is them, but their address must be confirmed first.
            Unavailable: nobody can tell now.
        """
        ...


@dataclass(frozen=True, slots=True)
class PasswordAuthenticator:
    """The port `Authenticator`, by password alone."""

    users: Users
    sessions: Sessions
    hasher: PasswordHasher
    guesses: Guesses
    policy: AccountPolicy
    audit: Audit
    clock: Clock

    async def __call__(self, attempt: PasswordAttempt) -> Authentication:
        _check(attempt)
        account = f"{attempt.tenant}:{email_key(attempt.email)}"
        password = tidy_password(attempt.password)
        async with self.guesses.turn(account):
            try:
                proved = await self._proved(attempt, account, password)
            except TooManyGuesses as exc:
                self._tell("login_throttled", attempt)
                return Refused(exc.retry_after)
        if proved is None:
            return Refused()
        self._check_may_enter(proved.user)
        await self._renew_hash(proved.user, password)
        return proved

    def _check_may_enter(self, user: User) -> None:
        """Told only to who knows the password: others cannot tell these from a wrong one."""
        reason = None if user.active else "deactivated"
        if reason is None and not (self.policy.unverified_login or user.email_verified):
            reason = "unverified"
        if reason is None:
            return
        self.audit.record("login_refused", tenant=user.tenant, actor=user.id, reason=reason)
        raise AccountDisabled if reason == "deactivated" else EmailNotVerified

    async def _proved(
        self, attempt: PasswordAttempt, account: str, password: str
    ) -> Authenticated | None:
        network = attempt.origin.network
        user = await self.users.find_by_email(attempt.tenant, email_key(attempt.email))
        familiar = await self.sessions.is_known_network(
            user.id if user else _NOBODY, network, self.clock.now()
        )
        known = familiar and network != UNKNOWN_NETWORK
        guess = Guess(attempt.tenant, account, attempt.origin, known)
        await self.guesses.check(guess)
        matches = await self.hasher.verify(
            user.password_hash if user else self.hasher.decoy, password
        )
        if user is not None and matches:
            return Authenticated(user, failures=await self.guesses.failures(guess))
        await self.guesses.failed(guess)
        self._tell("login_failed", attempt)
        return None

    async def _renew_hash(self, user: User, password: str) -> None:
        if self.hasher.is_outdated(user.password_hash):
            renewed = await self.hasher.hash(password)
            await self.users.replace_hash(user.id, user.password_hash, renewed)

    def _tell(self, event: str, attempt: PasswordAttempt) -> None:
        self.audit.record(
            event,
            tenant=attempt.tenant,
            email=_shown(attempt.email),
            network=attempt.origin.network,
        )


def _check(attempt: PasswordAttempt) -> None:
    problems = [
        FieldProblem(
            field, "Required" if not value else f"Must not be longer than {longest} characters"
        )
        for field, value, longest in (
            ("email", attempt.email, 2 * MAX_EMAIL),
            ("password", attempt.password, MAX_GUESS),
        )
        if not 0 < len(value) <= longest
    ]
    if problems:
        raise InputInvalid(problems)


def _shown(email: str) -> str:
    """What logs may have of *email*; people type passwords into the wrong field."""
    return "malformed" if email_problems(email) else email_key(email)
