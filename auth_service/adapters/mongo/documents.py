"""Documents as what they stand for, and back."""

from auth_service.adapters.times import maybe_micros, maybe_moment, micros, moment
from auth_service.domain.user import EmailAddress, User
from chassis.storage.mongo import Document

PERSON = "user"
"""The `kind` of users who can log in."""
SERVICE = "service"
"""The `kind` of principals that clients are by themselves."""


def user_document(user: User, kind: str = PERSON) -> Document:
    """A user, or the principal of a client."""
    return {
        "_id": user.id,
        "tenant": user.tenant,
        "email": user.email.text,
        "email_key": user.email.key,
        "name": user.name,
        "password_hash": user.password_hash,
        "roles": list(user.roles),
        "created_at": micros(user.created_at),
        "updated_at": micros(user.updated_at),
        "email_verified_at": maybe_micros(user.email_verified_at),
        "disabled_at": maybe_micros(user.disabled_at),
        "kind": kind,
    }


def user_from(document: Document) -> User:
    """The inverse."""
    return User(
        id=document["_id"],
        tenant=document["tenant"],
        email=EmailAddress(document["email"], document["email_key"]),
        name=document["name"],
        password_hash=document["password_hash"],
        roles=tuple(document["roles"]),
        created_at=moment(document["created_at"]),
        updated_at=moment(document["updated_at"]),
        email_verified_at=maybe_moment(document["email_verified_at"]),
        disabled_at=maybe_moment(document["disabled_at"]),
    )
