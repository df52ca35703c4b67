"""DeleteRole: a role that nobody needs goes."""

from dataclasses import dataclass

from auth_service.application.actor import Actor
from auth_service.application.live_sessions import LiveSessions
from auth_service.application.ports import Audit, Change, RevocationKind, Roles
from auth_service.application.role_books import RoleBooks
from auth_service.domain.roles import RoleBook
from auth_service.domain.session import SessionPolicy
from chassis.clock import Clock


@dataclass(frozen=True, slots=True)
class DeleteRole:
    """Forget the role called *name*."""

    actor: Actor
    name: str


@dataclass(frozen=True, slots=True)
class DeleteRoleHandler:
    """Raises what `RoleBook.without_role` raises, and `RoleInUse` while somebody has the role."""

    roles: Roles
    books: RoleBooks
    live: LiveSessions
    policy: SessionPolicy
    audit: Audit
    clock: Clock

    async def __call__(self, command: DeleteRole) -> None:
        await self.books.change(command.actor.tenant, lambda book: self._delete(command, book))
        self.live.forget_all()
        self.audit.record(
            "role_deleted",
            tenant=command.actor.tenant,
            actor=command.actor.id,
            target=command.name,
        )

    async def _delete(self, command: DeleteRole, book: RoleBook) -> None:
        tenant = command.actor.tenant
        book.without_role(command.name, command.actor.permissions)
        forget_at = self.policy.forget_change_at(self.clock.now())
        change = Change(RevocationKind.POLICY, tenant, forget_at)
        await self.roles.remove(tenant, command.name, read=book.version, change=change)
