"""ChangePassword: somebody who is logged in chooses another password."""

from dataclasses import dataclass, field, replace

from auth_service.application.accounts.desk import Desk
from auth_service.application.ports import PasswordHasher
from auth_service.application.ports.accounts import AccountChange
from auth_service.application.recent_authentication import Presence, RecentAuthentication
from auth_service.domain.account import PASSWORD_PURPOSES
from auth_service.domain.errors import InputInvalid
from auth_service.domain.events import FactKind
from auth_service.domain.policy import PasswordPolicy, tidy_password
from auth_service.domain.session import RevocationReason


@dataclass(frozen=True, slots=True)
class ChangePassword:
    """All other sessions of the user end, and links for setting a password are good no more."""

    presence: Presence
    new_password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ChangePasswordHandler:
    """Raises what `RecentAuthentication` does, and `InputInvalid` with every broken rule."""

    desk: Desk
    recent: RecentAuthentication
    hasher: PasswordHasher
    policy: PasswordPolicy

    async def __call__(self, command: ChangePassword) -> None:
        user = await self.recent.require(command.presence)
        problems = self.policy.problems(command.new_password, field="new_password")
        if problems:
            raise InputInvalid(problems)
        desk = self.desk
        after = replace(
            user,
            password_hash=await self.hasher.hash(tidy_password(command.new_password)),
            updated_at=desk.clock.now(),
        )
        ended = await desk.apply(
            AccountChange(
                before=user,
                after=after,
                ending=desk.ending(
                    RevocationReason.PASSWORD_CHANGED, spare=command.presence.session_id
                ),
                obsolete=PASSWORD_PURPOSES,
                events=(desk.fact(FactKind.PASSWORD_CHANGED, user),),
                mails=(desk.note(user, "password-changed"),),
            )
        )
        desk.audit.record(
            "password_changed", tenant=user.tenant, actor=user.id, target=user.id, ended=len(ended)
        )
