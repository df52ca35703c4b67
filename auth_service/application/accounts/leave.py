"""Deactivating and deleting accounts, by their owners or by administrators."""

from dataclasses import dataclass, replace

from auth_service.application.accounts.desk import Desk
from auth_service.application.accounts.seniority import Seniority
from auth_service.application.actor import Actor
from auth_service.application.ports.accounts import AccountChange
from auth_service.application.recent_authentication import Presence, RecentAuthentication
from auth_service.domain.account import Purpose
from auth_service.domain.events import FactKind
from auth_service.domain.session import RevocationReason
from auth_service.domain.user import User


@dataclass(frozen=True, slots=True)
class SetActive:
    """An administrator, *actor*, deactivates a user or takes that back; again changes nothing."""

    actor: Actor
    user_id: str
    active: bool


@dataclass(frozen=True, slots=True)
class SetActiveHandler:
    """Raises what `Seniority` does, or `LastAdministrator`."""

    seniority: Seniority
    desk: Desk

    async def __call__(self, command: SetActive) -> User:
        user = await self.seniority.find(command.actor, command.user_id)
        if user.active == command.active:
            return user
        return await set_active(self.desk, user, active=command.active, actor=command.actor.id)


@dataclass(frozen=True, slots=True)
class DeactivateMe:
    """Somebody deactivates their own account; only an administrator can take that back."""

    presence: Presence


@dataclass(frozen=True, slots=True)
class DeactivateMeHandler:
    """Raises what `RecentAuthentication` does, or `LastAdministrator`."""

    recent: RecentAuthentication
    desk: Desk

    async def __call__(self, command: DeactivateMe) -> None:
        user = await self.recent.require(command.presence)
        await set_active(self.desk, user, active=False, actor=user.id)


@dataclass(frozen=True, slots=True)
class DeleteMe:
    """Somebody deletes their own account, for good."""

    presence: Presence


@dataclass(frozen=True, slots=True)
class DeleteMeHandler:
    """Raises what `RecentAuthentication` does, or `LastAdministrator`."""

    recent: RecentAuthentication
    desk: Desk

    async def __call__(self, command: DeleteMe) -> None:
        user = await self.recent.require(command.presence)
        await self.desk.erase(user)
        self.desk.audit.record("user_deleted", tenant=user.tenant, actor=user.id, target=user.id)


@dataclass(frozen=True, slots=True)
class DeleteUser:
    """An administrator, *actor*, deletes a user for good."""

    actor: Actor
    user_id: str


@dataclass(frozen=True, slots=True)
class DeleteUserHandler:
    """Raises what `Seniority` does, or `LastAdministrator`."""

    seniority: Seniority
    desk: Desk

    async def __call__(self, command: DeleteUser) -> None:
        user = await self.seniority.find(command.actor, command.user_id)
        await self.desk.erase(user)
        self.desk.audit.record(
            "user_deleted", tenant=user.tenant, actor=command.actor.id, target=user.id
        )


async def set_active(desk: Desk, user: User, *, active: bool, actor: str) -> User:
    """*user*, changed; they and others are told, and the sessions of who is deactivated end."""
    now = desk.clock.now()
    after = replace(user, disabled_at=None if active else now, updated_at=now)
    kind = FactKind.USER_ACTIVATED if active else FactKind.USER_DEACTIVATED
    template = "account-activated" if active else "account-deactivated"
    await desk.apply(
        AccountChange(
            before=user,
            after=after,
            ending=None if active else desk.ending(RevocationReason.ACCOUNT_DEACTIVATED),
            obsolete=() if active else tuple(Purpose),
            events=(desk.fact(kind, user),),
            mails=(desk.note(user, template),),
        )
    )
    name = "user_activated" if active else "user_deactivated"
    desk.audit.record(name, tenant=user.tenant, actor=actor, target=user.id)
    return after
