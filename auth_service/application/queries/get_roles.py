"""ListRoles, GetRole, GetUserRoles: what roles there are, and who has which."""

from collections.abc import Sequence
from dataclasses import dataclass

from auth_service.application.ports import Users
from auth_service.application.profiles import UserRoles
from auth_service.application.role_books import RoleBooks
from auth_service.domain.errors import UserNotFound
from auth_service.domain.roles import RoleBook, RoleDefinition


@dataclass(frozen=True, slots=True)
class GetRoles:
    """Every role of the tenant."""

    tenant: str


@dataclass(frozen=True, slots=True)
class GetUserRoles:
    """The roles of one user."""

    tenant: str
    user_id: str


@dataclass(frozen=True, slots=True)
class RoleShown:
    """A role, and all that it gives with those that it builds upon."""

    role: RoleDefinition
    effective: tuple[str, ...]

    @classmethod
    def of(cls, role: RoleDefinition, book: RoleBook) -> "RoleShown":
        """*role* as *book* has it."""
        return cls(role, tuple(sorted(book.permissions_of([role.name]))))


@dataclass(frozen=True, slots=True)
class GetRolesHandler:
    """By name."""

    books: RoleBooks

    async def __call__(self, query: GetRoles) -> Sequence[RoleShown]:
        book = await self.books.book(query.tenant, fresh=True)
        return [RoleShown.of(role, book) for role in book.all()]


@dataclass(frozen=True, slots=True)
class GetUserRolesHandler:
    """Raises `UserNotFound`."""

    users: Users
    books: RoleBooks

    async def __call__(self, query: GetUserRoles) -> UserRoles:
        user = await self.users.find(query.tenant, query.user_id)
        if user is None:
            raise UserNotFound
        permissions = await self.books.permissions_of(query.tenant, user.roles, fresh=True)
        return UserRoles(user.id, user.roles, permissions)
