"""Whether whoever makes a sensitive change is there right now, and not only their session.

Sensitive is what outlives a session or takes an account over: passwords, addresses, factors, API
keys, clients' secrets, roles. A stolen access token alone must not be enough for any of them.
"""

from dataclasses import dataclass, field
from typing import Protocol

from auth_service.application.guessing import Guess, Guesses
from auth_service.application.owned_methods import OwnedMethods
from auth_service.application.ports import Audit, PasswordHasher, Sessions, Users
from auth_service.domain.errors import (
    RecentAuthenticationNeeded,
    TooManyGuesses,
    UserNotFound,
    WrongPassword,
)
from auth_service.domain.mfa.errors import StepUpRequired
from auth_service.domain.mfa.proofs import RECENT, Proof
from auth_service.domain.policy import MAX_GUESS, tidy_password
from auth_service.domain.session import Origin
from auth_service.domain.user import User
from chassis.clock import Clock


@dataclass(frozen=True, slots=True)
class Presence:
    """What a caller brings to show that it is them: their session, and their password if they gave it."""

    tenant: str
    user_id: str
    session_id: str
    origin: Origin
    password: str | None = field(default=None, repr=False)


class RecentAuthentication(Protocol):
    """Asked before changes that a stolen access token must not be enough for."""

    async def require(self, presence: Presence) -> User:
        """The user, who has proved who they are just now.

        Raises:
            RecentAuthenticationNeeded: the login is too long ago, and no password was given.
            StepUpRequired: the caller has a second factor, and did not give it just now.
            WrongPassword: the password that was given is not theirs.
            TooManyGuesses: too many wrong ones were given.
            UserNotFound: there is no such user any more.
        """
        ...


@dataclass(frozen=True, slots=True)
class PasswordOrRecentLogin:
    """Implements `RecentAuthentication`: a password counts, or a proof in the last minutes.

    Users with a second factor must have given it in the last minutes; a password is no substitute.

    Somebody who stole a session cannot use this to guess the password: wrong ones are counted as
    failed logins are, for each account by itself.
    """

    users: Users
    sessions: Sessions
    owned: OwnedMethods
    hasher: PasswordHasher
    guesses: Guesses
    audit: Audit
    clock: Clock

    async def require(self, presence: Presence) -> User:
        """See `RecentAuthentication.require`."""
        user = await self.users.find(presence.tenant, presence.user_id)
        if user is None:
            raise UserNotFound
        methods = await self.owned.methods(user.id)
        if presence.password is not None:
            await self._check_password(user, presence, presence.password)
        proof = await self._recent_proof(presence)
        if methods and not (proof and proof.is_multi_factor):
            raise StepUpRequired(methods, int(RECENT.total_seconds()))
        if presence.password is None and proof is None:
            raise RecentAuthenticationNeeded
        return user

    async def _check_password(self, user: User, presence: Presence, password: str) -> None:
        account = f"{user.tenant}:{user.email.key}:presence"
        guess = Guess(user.tenant, account, presence.origin)
        async with self.guesses.turn(account):
            try:
                await self.guesses.check(guess)
            except TooManyGuesses:
                self.audit.record("password_check_throttled", actor=user.id, tenant=user.tenant)
                raise
            given = tidy_password(password[:MAX_GUESS])
            if not await self.hasher.verify(user.password_hash, given):
                await self.guesses.failed(guess)
                self.audit.record("password_check_failed", actor=user.id, tenant=user.tenant)
                raise WrongPassword

    async def _recent_proof(self, presence: Presence) -> Proof | None:
        now = self.clock.now()
        session = await self.sessions.find_live(presence.session_id, now)
        if session is None or session.user.id != presence.user_id:
            return None
        return session.proof if session.proof.is_recent(now) else None
