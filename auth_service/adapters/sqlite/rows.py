"""Rows of the tables and the values that they stand for."""

from datetime import UTC, datetime, timedelta

from auth_service.domain.permissions import Role
from auth_service.domain.user import EmailAddress, User

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

USER_COLUMNS = (
    "users.id, users.tenant, users.email, users.email_key, users.name, users.password_hash, "
    "users.roles, users.created_at, users.updated_at"
)

UserRow = tuple[str, str, str, str, str, str, str, int, int]


def micros(moment: datetime) -> int:
    """A time as the tables have it, without rounding."""
    return (moment - _EPOCH) // _MICROSECOND


def moment(value: int) -> datetime:
    """The time that *value* stands for."""
    return _EPOCH + timedelta(microseconds=value)


def user_row(user: User) -> UserRow:
    """The values of `USER_COLUMNS` for *user*."""
    return (
        user.id,
        user.tenant,
        user.email.text,
        user.email.key,
        user.name,
        user.password_hash,
        " ".join(user.roles),
        micros(user.created_at),
        micros(user.updated_at),
    )


def user_from(row: UserRow) -> User:
    """The user whom the `USER_COLUMNS` of *row* describe."""
    user_id, tenant, email, email_key, name, password_hash, roles, created_at, updated_at = row
    return User(
        id=user_id,
        tenant=tenant,
        email=EmailAddress(email, email_key),
        name=name,
        password_hash=password_hash,
        roles=tuple(Role(role) for role in roles.split()),
        created_at=moment(created_at),
        updated_at=moment(updated_at),
    )
