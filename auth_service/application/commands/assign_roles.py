"""AssignRoles: a user gets roles, or loses them."""

from dataclasses import dataclass
from typing import assert_never

from auth_service.application.actor import Actor
from auth_service.application.live_sessions import LiveSessions
from auth_service.application.ports import (
    Assignment,
    Audit,
    Change,
    RevocationKind,
    Roles,
    Users,
)
from auth_service.application.profiles import UserRoles
from auth_service.application.role_books import RoleBooks
from auth_service.domain.errors import InputInvalid, UserNotFound
from auth_service.domain.roles import RoleBook
from auth_service.domain.session import SessionPolicy
from chassis.clock import Clock
from chassis.errors import FieldProblem

MAX_ROLES_OF_A_USER = 50


@dataclass(frozen=True, slots=True)
class SetTo:
    """The user has exactly these."""

    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Grant:
    """The user has this one, too."""

    role: str


@dataclass(frozen=True, slots=True)
class Take:
    """The user does not have this one."""

    role: str


@dataclass(frozen=True, slots=True)
class AssignRoles:
    """Change the roles of a user of the actor's tenant."""

    actor: Actor
    user_id: str
    change: SetTo | Grant | Take


@dataclass(frozen=True, slots=True)
class AssignRolesHandler:
    """Raises `UserNotFound`, `InputInvalid`, `RoleTooPowerful`, `LastAdministrator`."""

    users: Users
    roles: Roles
    books: RoleBooks
    live: LiveSessions
    policy: SessionPolicy
    audit: Audit
    clock: Clock

    async def __call__(self, command: AssignRoles) -> UserRoles:
        actor = command.actor
        try:
            assigned = await self.books.change(
                actor.tenant, lambda book: self._assign(command, book)
            )
        finally:
            self.live.forget_user(command.user_id)
        self.audit.record(
            "roles_assigned",
            tenant=actor.tenant,
            actor=actor.id,
            target=command.user_id,
            roles=" ".join(assigned.roles),
        )
        return assigned

    async def _assign(self, command: AssignRoles, book: RoleBook) -> UserRoles:
        tenant = command.actor.tenant
        user = await self.users.find(tenant, command.user_id)
        if user is None:
            raise UserNotFound
        before, after = user.roles, roles_after(user.roles, command.change)
        _check(book, before, after)
        book.check_granter(command.actor.permissions, set(before).symmetric_difference(after))
        if after != before:
            now = self.clock.now()
            forget_at = self.policy.forget_change_at(now)
            await self.roles.assign(
                Assignment(tenant, user.id, before, after, now),
                read=book.version,
                change=Change(RevocationKind.PRINCIPAL, user.id, forget_at),
            )
        return UserRoles(user.id, after, tuple(sorted(book.permissions_of(after))))


def roles_after(before: tuple[str, ...], change: SetTo | Grant | Take) -> tuple[str, ...]:
    """What somebody who had the roles *before* has after *change*, sorted, each once."""
    match change:
        case SetTo(roles):
            return tuple(sorted(set(roles)))
        case Grant(role):
            return tuple(sorted({*before, role}))
        case Take(role):
            return tuple(sorted(set(before) - {role}))
        case _:
            assert_never(change)


def _check(book: RoleBook, before: tuple[str, ...], after: tuple[str, ...]) -> None:
    unknown = [name for name in after if name not in before and book.find(name) is None]
    problems = [FieldProblem("roles", f"There is no role {name[:64]}") for name in unknown[:20]]
    if len(after) > MAX_ROLES_OF_A_USER:
        problems.append(FieldProblem("roles", f"Must not be more than {MAX_ROLES_OF_A_USER}"))
    if problems:
        raise InputInvalid(problems)
