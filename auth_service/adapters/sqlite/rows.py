"""Rows of the tables and the values that they stand for."""

from auth_service.adapters.times import maybe_micros, maybe_moment, micros, moment
from auth_service.domain.user import EmailAddress, User

COLUMNS = (
    "id, tenant, email, email_key, name, password_hash, roles, created_at, updated_at, "
    "email_verified_at, disabled_at"
)
USER_COLUMNS = ", ".join(f"users.{column}" for column in COLUMNS.split(", "))
PLACES = ", ".join("?" for _ in COLUMNS.split(", "))

UserRow = tuple[str, str, str, str, str, str, str, int, int, int | None, int | None]


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
        maybe_micros(user.email_verified_at),
        maybe_micros(user.disabled_at),
    )


def user_from(row: UserRow) -> User:
    """The user whom the `USER_COLUMNS` of *row* describe."""
    user_id, tenant, email, email_key, name, password_hash, roles, *_ = row
    created_at, updated_at, email_verified_at, disabled_at = row[7:]
    return User(
        id=user_id,
        tenant=tenant,
        email=EmailAddress(email, email_key),
        name=name,
        password_hash=password_hash,
        roles=tuple(roles.split()),
        created_at=moment(created_at),
        updated_at=moment(updated_at),
        email_verified_at=maybe_moment(email_verified_at),
        disabled_at=maybe_moment(disabled_at),
    )
