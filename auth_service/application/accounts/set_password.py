"""SetPassword: who got the mailed link chooses a password, as the first one or in place of a lost one."""

from dataclasses import dataclass, field, replace

from auth_service.application.accounts.desk import Desk
from auth_service.application.opaque_tokens import digest_of, has_shape
from auth_service.application.ports import PasswordHasher, Users
from auth_service.application.ports.accounts import AccountChange
from auth_service.domain.account import PASSWORD_PURPOSES, AccountToken
from auth_service.domain.errors import AccountTokenRefused, InputInvalid
from auth_service.domain.events import FactKind
from auth_service.domain.policy import PasswordPolicy, tidy_password
from auth_service.domain.session import Origin, RevocationReason
from auth_service.domain.user import User


@dataclass(frozen=True, slots=True)
class SetPassword:
    """The token is spent by this; all sessions of the user end."""

    token: str = field(repr=False)
    new_password: str = field(repr=False)
    origin: Origin


@dataclass(frozen=True, slots=True)
class SetPasswordHandler:
    """Raises `AccountTokenRefused`, or `InputInvalid` with every broken rule; then nothing is spent."""

    users: Users
    desk: Desk
    hasher: PasswordHasher
    policy: PasswordPolicy

    async def __call__(self, command: SetPassword) -> None:
        token, user = await self._owner(command)
        problems = self.policy.problems(command.new_password, field="new_password")
        if problems:
            raise InputInvalid(problems)
        desk, now = self.desk, self.desk.clock.now()
        # Who reads what is mailed to the address has proved that it is theirs.
        proved = user.email.key == token.email.key
        after = replace(
            user,
            password_hash=await self.hasher.hash(tidy_password(command.new_password)),
            email_verified_at=user.email_verified_at or (now if proved else None),
            updated_at=now,
        )
        await desk.apply(
            AccountChange(
                before=user,
                after=after,
                spend=(token.digest, PASSWORD_PURPOSES),
                ending=desk.ending(RevocationReason.PASSWORD_CHANGED),
                obsolete=PASSWORD_PURPOSES,
                events=(desk.fact(FactKind.PASSWORD_CHANGED, user, by="link"),),
                mails=(desk.note(user, "password-changed"),),
            )
        )
        desk.audit.record(
            "password_set_by_link",
            tenant=user.tenant,
            target=user.id,
            purpose=token.purpose.value,
            network=command.origin.network,
        )

    async def _owner(self, command: SetPassword) -> tuple[AccountToken, User]:
        """Whose token it is. Looking does not spend it: a weak password costs no new link."""
        token = None
        if has_shape(command.token):
            token = await self.desk.accounts.find_token(
                digest_of(command.token), PASSWORD_PURPOSES, self.desk.clock.now()
            )
        user = await self.users.find(token.tenant, token.user_id) if token else None
        if token is None or user is None or not user.active:
            self.desk.audit.record("account_link_refused", network=command.origin.network)
            raise AccountTokenRefused
        return token, user
