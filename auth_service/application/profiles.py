"""What is told of a user beside the user's own record."""

from dataclasses import dataclass

from auth_service.domain.user import User


@dataclass(frozen=True, slots=True)
class Profile:
    """A user, and what the user may do."""

    user: User
    permissions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UserRoles:
    """The roles that a user has, and what they give."""

    user_id: str
    roles: tuple[str, ...]
    permissions: tuple[str, ...]
