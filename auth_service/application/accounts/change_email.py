"""ChangeEmail: somebody wants to use another address. Nothing changes until it is proved to be theirs."""

from dataclasses import dataclass

from auth_service.application.accounts.desk import Desk
from auth_service.application.accounts.mail_requests import MailRequests
from auth_service.application.ports import Users
from auth_service.application.recent_authentication import Presence, RecentAuthentication
from auth_service.domain.account import Purpose
from auth_service.domain.errors import InputInvalid
from auth_service.domain.user import EmailAddress, email_problems


@dataclass(frozen=True, slots=True)
class ChangeEmail:
    """A link goes to the new address, and a warning to the old one."""

    presence: Presence
    email: str


@dataclass(frozen=True, slots=True)
class ChangeEmailHandler:
    """Raises what `RecentAuthentication` does, `InputInvalid`, and `TooManyRequests`.

    Whether somebody else has the address is not told: their mail would be guessed by this.
    """

    users: Users
    requests: MailRequests
    recent: RecentAuthentication
    desk: Desk

    async def __call__(self, command: ChangeEmail) -> None:
        user = await self.recent.require(command.presence)
        problems = email_problems(command.email)
        if problems:
            raise InputInvalid(problems)
        desk, new = self.desk, EmailAddress.of(command.email)
        admitted = await self.requests.admit(
            user.tenant, new.key, Purpose.CHANGE_EMAIL.value, command.presence.origin
        )
        taken = await self.users.find_by_email(user.tenant, new.key)
        if taken is None and admitted:
            warning = desk.note(user, "email-change-requested", new_email=new.text)
            await desk.send_link(user, Purpose.CHANGE_EMAIL, new, warning)
        else:
            await desk.send_nothing(user.tenant, Purpose.CHANGE_EMAIL)
        desk.audit.record(
            "email_change_requested", tenant=user.tenant, actor=user.id, target=user.id
        )
