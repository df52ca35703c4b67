"""Login: a password becomes a session.

Unknown user and wrong password take the same steps: the same reads, one Argon2id, the same
answer. Only failures are throttled, see `auth_service.application.guessing`.
"""

from dataclasses import dataclass

from auth_service.application.grants import Grants, IssuedTokens
from auth_service.application.guessing import Guesses
from auth_service.application.ports import Audit, PasswordHasher, Sessions, Users
from auth_service.domain.errors import InputInvalid, TooManyGuesses, WrongCredentials
from auth_service.domain.policy import MAX_GUESS, tidy_password
from auth_service.domain.session import UNKNOWN_NETWORK, LiveSession, Origin, Session
from auth_service.domain.user import MAX_EMAIL, User, email_key, email_problems
from chassis.clock import Clock
from chassis.errors import FieldProblem
from chassis.ids import Ids

_NOBODY = "00000000-0000-0000-0000-000000000000"
_STRANGER = "stranger"


@dataclass(frozen=True, slots=True)
class Login:
    """Open a session for whoever knows the password."""

    tenant: str
    email: str
    password: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class LoginHandler:
    """Raises `WrongCredentials` or, after too many of those, `TooManyGuesses`."""

    users: Users
    sessions: Sessions
    hasher: PasswordHasher
    guesses: Guesses
    grants: Grants
    audit: Audit
    clock: Clock
    ids: Ids

    async def __call__(self, command: Login) -> IssuedTokens:
        _check(command)
        account = f"{command.tenant}:{email_key(command.email)}"
        password = tidy_password(command.password)
        async with self.guesses.turn(account):
            user = await self._authenticate(command, account, password)
        await self._renew_hash(user, password)
        return await self._open_session(user, command.origin)

    async def _authenticate(self, command: Login, account: str, password: str) -> User:
        network = command.origin.network
        user = await self.users.find_by_email(command.tenant, email_key(command.email))
        familiar = await self.sessions.is_known_network(
            user.id if user else _NOBODY, network, self.clock.now()
        )
        bucket = f"{account}:{network if familiar and network != UNKNOWN_NETWORK else _STRANGER}"
        await self._check_guesses(bucket, command)
        matches = await self.hasher.verify(
            user.password_hash if user else self.hasher.decoy, password
        )
        if user is None or not matches:
            await self.guesses.failed(bucket, network)
            self.audit.record("login_failed", email=_shown(command.email), network=network)
            raise WrongCredentials
        return user

    async def _check_guesses(self, bucket: str, command: Login) -> None:
        network = command.origin.network
        try:
            await self.guesses.check(bucket, network)
        except TooManyGuesses:
            self.audit.record("login_throttled", email=_shown(command.email), network=network)
            raise

    async def _renew_hash(self, user: User, password: str) -> None:
        if self.hasher.is_outdated(user.password_hash):
            renewed = await self.hasher.hash(password)
            await self.users.replace_hash(user.id, user.password_hash, renewed)

    async def _open_session(self, user: User, origin: Origin) -> IssuedTokens:
        refresh = self.grants.refresh_token()
        session = Session(self.ids.new(), user.id, user.tenant, origin, self.clock.now())
        issued = self.grants.issue(LiveSession(session.id, user), refresh)
        await self.sessions.open(session, refresh.grant)
        self.audit.record(
            "logged_in", user_id=user.id, session_id=session.id, network=origin.network
        )
        return issued


def _check(command: Login) -> None:
    problems = [
        FieldProblem(
            field, "Required" if not value else f"Must not be longer than {longest} characters"
        )
        for field, value, longest in (
            ("email", command.email, 2 * MAX_EMAIL),
            ("password", command.password, MAX_GUESS),
        )
        if not 0 < len(value) <= longest
    ]
    if problems:
        raise InputInvalid(problems)


def _shown(email: str) -> str:
    """What logs may have of *email*; people type passwords into the wrong field."""
    return "malformed" if email_problems(email) else email_key(email)
