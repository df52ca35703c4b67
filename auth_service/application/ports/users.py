"""Users and their passwords."""

from typing import Protocol

from auth_service.domain.events import UserRegistered, UserUpdated
from auth_service.domain.user import User


class Users(Protocol):
    """The users of every tenant."""

    async def add(self, event: UserRegistered) -> None:
        """Keep the new user and announce it, both or neither.

        Raises:
            EmailTaken: the tenant has a user with this e-mail key.
        """
        ...

    async def rename(self, event: UserUpdated) -> None:
        """Take over the name in *event* and announce it, both or neither.

        Raises:
            UserNotFound: there is no such user.
        """
        ...

    async def replace_hash(self, user_id: str, old: str, new: str) -> None:
        """Swap the password hash, unless it is no longer *old*."""
        ...

    async def find(self, tenant: str, user_id: str) -> User | None:
        """The user with this id, if it belongs to the tenant."""
        ...

    async def find_by_email(self, tenant: str, email_key: str) -> User | None:
        """The user whose address has this key."""
        ...

    async def first_administrator(self, tenant: str) -> User | None:
        """The administrator who was there first."""
        ...


class PasswordHasher(Protocol):
    """Slow, salted hashing with bounded resources.

    Raises (every coroutine):
        Unavailable: too many are waiting already.
    """

    @property
    def decoy(self) -> str:
        """A hash that no password matches and that costs as much to check as any other."""
        ...

    async def hash(self, password: str) -> str:
        """A new PHC string for *password*."""
        ...

    async def verify(self, password_hash: str, password: str) -> bool:
        """Whether *password* is the one; takes the same time either way."""
        ...

    def is_outdated(self, password_hash: str) -> bool:
        """Whether it was made with other parameters than those of today."""
        ...
