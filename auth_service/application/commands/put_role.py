"""PutRole: a tenant says what a role gives."""

from dataclasses import dataclass, replace

from auth_service.application.actor import Actor
from auth_service.application.live_sessions import LiveSessions
from auth_service.application.ports import Audit, Change, RevocationKind, Roles
from auth_service.application.role_books import RoleBooks
from auth_service.domain.access_errors import NameTaken
from auth_service.domain.errors import InputInvalid
from auth_service.domain.roles import RoleBook, RoleDefinition, role_problems
from auth_service.domain.session import SessionPolicy
from chassis.clock import Clock


@dataclass(frozen=True, slots=True)
class PutRole:
    """Make or change a role. *create*: there must not be one yet."""

    actor: Actor
    role: RoleDefinition
    create: bool = False


@dataclass(frozen=True, slots=True)
class RolePut:
    """The role as it is now, and all that it gives; *created* when there was none before."""

    role: RoleDefinition
    effective: tuple[str, ...]
    created: bool


@dataclass(frozen=True, slots=True)
class PutRoleHandler:
    """Raises `InputInvalid`, `NameTaken`, and what `RoleBook.with_role` raises."""

    roles: Roles
    books: RoleBooks
    live: LiveSessions
    policy: SessionPolicy
    audit: Audit
    clock: Clock

    async def __call__(self, command: PutRole) -> RolePut:
        put = await self.books.change(command.actor.tenant, lambda book: self._put(command, book))
        self.live.forget_all()
        self.audit.record(
            "role_created" if put.created else "role_changed",
            tenant=command.actor.tenant,
            actor=command.actor.id,
            target=put.role.name,
            permissions=" ".join(put.role.permissions),
            parents=" ".join(put.role.parents),
        )
        return put

    async def _put(self, command: PutRole, book: RoleBook) -> RolePut:
        now = self.clock.now()
        role = replace(command.role, updated_at=now, updated_by=command.actor.id)
        problems = role_problems(role, book)
        if problems:
            raise InputInvalid(problems)
        existing = book.find(role.name)
        if existing is not None and command.create:
            raise NameTaken("role", role.name)
        changed = book.with_role(role, command.actor.permissions)
        tenant = command.actor.tenant
        change = Change(RevocationKind.POLICY, tenant, self.policy.forget_change_at(now))
        await self.roles.put(tenant, role, read=book.version, change=change)
        effective = tuple(sorted(changed.permissions_of([role.name])))
        return RolePut(role, effective, existing is None)
