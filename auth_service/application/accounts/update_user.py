"""UpdateUser: an administrator changes the name or the address of somebody else."""

from dataclasses import dataclass, replace

from auth_service.application.accounts.desk import Desk
from auth_service.application.accounts.seniority import Seniority
from auth_service.application.actor import Actor
from auth_service.application.ports.accounts import AccountChange
from auth_service.domain.account import Purpose
from auth_service.domain.errors import InputInvalid
from auth_service.domain.events import Event, FactKind, UserUpdated
from auth_service.domain.user import (
    EmailAddress,
    User,
    email_problems,
    name_problems,
    tidy_name,
)


@dataclass(frozen=True, slots=True)
class UpdateUser:
    """None leaves it. A new address counts at once, is not confirmed, and the old one is told."""

    actor: Actor
    user_id: str
    name: str | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True)
class UpdateUserHandler:
    """Raises what `Seniority` does, `InputInvalid`, or `EmailTaken`."""

    seniority: Seniority
    desk: Desk

    async def __call__(self, command: UpdateUser) -> User:
        before = await self.seniority.find(command.actor, command.user_id)
        after = self._wanted(before, command)
        if after == before:
            return before
        moved = after.email.key != before.email.key
        after = replace(after, updated_at=self.desk.clock.now())
        await self._apply(before, after, moved=moved)
        if moved:
            await self.desk.send_link(after, Purpose.VERIFY_EMAIL, after.email)
        self.desk.audit.record(
            "user_updated",
            tenant=after.tenant,
            actor=command.actor.id,
            target=after.id,
            email=moved,
        )
        return after

    def _wanted(self, user: User, command: UpdateUser) -> User:
        name = user.name if command.name is None else tidy_name(command.name)
        problems = name_problems(name)
        if command.email is not None:
            problems += email_problems(command.email)
        if problems:
            raise InputInvalid(problems)
        email = user.email if command.email is None else EmailAddress.of(command.email)
        proved = user.email_verified_at if email.key == user.email.key else None
        return replace(user, name=name, email=email, email_verified_at=proved)

    async def _apply(self, before: User, after: User, *, moved: bool) -> None:
        desk = self.desk
        events: tuple[Event, ...] = (UserUpdated(desk.ids.new(), after, after.updated_at),)
        if moved:
            events += (desk.fact(FactKind.EMAIL_CHANGED, after, by="administrator"),)
        warning = desk.note(before, "email-changed", new_email=after.email.text)
        await desk.apply(
            AccountChange(
                before=before,
                after=after,
                obsolete=tuple(Purpose) if moved else (),
                events=events,
                mails=(warning,) if moved else (),
            )
        )
