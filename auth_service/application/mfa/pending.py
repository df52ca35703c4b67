"""Logins that wait for their second factor: what the client holds of them, and how they are met."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, assert_never

from auth_service.application.key_ring import KeyRing
from auth_service.application.mfa.second_factors import SecondFactors
from auth_service.application.ports import Audit, Users
from auth_service.application.ports.mfa import Burnt, Challenges, Gone, Tried
from auth_service.domain.mfa.challenges import CHALLENGE_LIFE, Challenge
from auth_service.domain.mfa.errors import ChallengeBurnt, CodeRefused, MfaTokenRefused
from auth_service.domain.mfa.factors import Method
from auth_service.domain.signing_key import KeyUse, SigningKey
from auth_service.domain.user import User
from chassis.clock import Clock
from chassis.ids import Ids


class PendingTokens(Protocol):
    """Tokens that stand for a challenge, and for nothing else."""

    def make(
        self, key: SigningKey, challenge_id: str, *, issued_at: datetime, expires_at: datetime
    ) -> str:
        """A token for the challenge."""
        ...

    def challenge_of(self, token: str, keys: Sequence[SigningKey], now: datetime) -> str:
        """The id of the challenge that *token* stands for.

        Raises:
            MfaTokenRefused: it stands for none.
        """
        ...


@dataclass(frozen=True, slots=True)
class OpenChallenge:
    """What the client gets: `expires_in` in seconds."""

    token: str
    methods: tuple[str, ...]
    expires_in: int


@dataclass(frozen=True, slots=True)
class PendingLogins:
    """Opens and meets challenges."""

    users: Users
    challenges: Challenges
    second: SecondFactors
    tokens: PendingTokens
    ring: KeyRing
    audit: Audit
    clock: Clock
    ids: Ids

    async def open(self, user: User, methods: tuple[str, ...]) -> OpenChallenge:
        """Ask *user* for a second factor."""
        now = self.clock.now()
        ends = now + CHALLENGE_LIFE
        challenge = Challenge(self.ids.new(), user.id, user.tenant, now, ends)
        await self.challenges.add(challenge)
        token = self.tokens.make(
            self.ring.signing(KeyUse.MFA), challenge.id, issued_at=now, expires_at=ends
        )
        return OpenChallenge(token, methods, int(CHALLENGE_LIFE.total_seconds()))

    async def find(self, token: str) -> Challenge:
        """The challenge that *token* stands for.

        Raises:
            MfaTokenRefused: there is none that can still be met.
        """
        now = self.clock.now()
        challenge = await self.challenges.find(self._id_in(token), now)
        if challenge is None:
            raise MfaTokenRefused
        return challenge

    async def meet(self, token: str, method: Method, code: str) -> User:
        """The user whose challenge *code* meets; it is never met again.

        Raises:
            MfaTokenRefused: the token stands for no challenge that can still be met.
            ChallengeBurnt: too many codes were tried at it; this one was not looked at.
            TooManyCodes: too many codes were tried for the user; this one was not looked at.
            CodeRefused: the code is wrong, or was used before.
        """
        challenge = await self._attempt(self._id_in(token))
        user = await self.owner_of(challenge)
        if not await self.second.verify(user, method, code, subject=login_subject(challenge.id)):
            raise CodeRefused
        if not await self.challenges.finish(challenge.id, self.clock.now()):
            raise MfaTokenRefused
        return user

    async def owner_of(self, challenge: Challenge) -> User:
        """Whose login it is.

        Raises:
            MfaTokenRefused: they may not log in any more.
        """
        user = await self.users.find(challenge.tenant, challenge.user_id)
        if user is None or not user.active:
            raise MfaTokenRefused
        return user

    async def _attempt(self, challenge_id: str) -> Challenge:
        outcome = await self.challenges.attempt(challenge_id, self.clock.now())
        match outcome:
            case Tried(challenge):
                return challenge
            case Burnt():
                self.audit.record("mfa_challenge_refused", target=challenge_id)
                raise ChallengeBurnt
            case Gone():
                raise MfaTokenRefused
            case _:
                assert_never(outcome)

    def _id_in(self, token: str) -> str:
        keys = self.ring.verifying(KeyUse.MFA)
        return self.tokens.challenge_of(token, keys, self.clock.now())


def login_subject(challenge_id: str) -> str:
    """What a code that is sent for a challenge is good for."""
    return f"login:{challenge_id}"
