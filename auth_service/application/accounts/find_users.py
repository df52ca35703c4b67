"""Looking at the users of a tenant, for administrators."""

from dataclasses import dataclass

from auth_service.application.accounts.paging import Page, key_of, page_of, size_of
from auth_service.application.ports import Users
from auth_service.application.ports.accounts import Accounts, PageKey, UserFilter
from auth_service.domain.errors import UserNotFound
from auth_service.domain.user import User, email_key


@dataclass(frozen=True, slots=True)
class ListUsers:
    """Users of the tenant, the newest first; *email* is the beginning of the address."""

    tenant: str
    email: str = ""
    role: str | None = None
    active: bool | None = None
    limit: int = 0
    cursor: str = ""


@dataclass(frozen=True, slots=True)
class ListUsersHandler:
    """Raises `InputInvalid` for a limit or cursor that cannot be."""

    accounts: Accounts

    async def __call__(self, query: ListUsers) -> Page[User]:
        size, key = size_of(query.limit), key_of(query.cursor)
        wanted = UserFilter(email_key(query.email), query.role, query.active)
        found = await self.accounts.page(query.tenant, wanted, key, size + 1)
        return page_of(found, size, lambda user: PageKey(user.created_at, user.id))


@dataclass(frozen=True, slots=True)
class GetUser:
    """One user of the tenant."""

    tenant: str
    user_id: str


@dataclass(frozen=True, slots=True)
class GetUserHandler:
    """Raises `UserNotFound`, also for a user of another tenant."""

    users: Users

    async def __call__(self, query: GetUser) -> User:
        user = await self.users.find(query.tenant, query.user_id)
        if user is None or not user.is_person:
            raise UserNotFound
        return user
