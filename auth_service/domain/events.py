"""Facts that others may want to know. They leave through the outbox."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from auth_service.domain.session import RevocationReason
from auth_service.domain.user import User


@dataclass(frozen=True, slots=True)
class UserRegistered:
    """There is a new user."""

    id: str
    user: User
    at: datetime


@dataclass(frozen=True, slots=True)
class UserUpdated:
    """A user's address or name changed; *user* is as it is now."""

    id: str
    user: User
    at: datetime


@dataclass(frozen=True, slots=True)
class SessionRevoked:
    """A session ended before its time; its tokens are dead."""

    id: str
    session_id: str
    user_id: str
    tenant: str
    reason: RevocationReason
    at: datetime


class FactKind(StrEnum):
    """What became of an account, as the types of events have it."""

    PASSWORD_CHANGED = "password-changed"  # noqa: S105 - a fact, no secret
    EMAIL_VERIFIED = "email-verified"
    EMAIL_CHANGED = "email-changed"
    USER_DEACTIVATED = "user-deactivated"
    USER_ACTIVATED = "user-activated"
    USER_DELETED = "user-deleted"
    LOGIN_SUSPICIOUS = "login-suspicious"
    FACTORS_CHANGED = "factors-changed"
    API_KEY_CREATED = "api-key-created"
    API_KEY_ROTATED = "api-key-rotated"


@dataclass(frozen=True, slots=True)
class AccountFact:
    """Something happened to an account that its owner should hear of.

    *facts* are few and short; they never have a secret or an address of mail.
    """

    id: str
    kind: FactKind
    tenant: str
    user_id: str
    at: datetime
    facts: Mapping[str, str] = field(default_factory=dict)


Event = UserRegistered | UserUpdated | SessionRevoked | AccountFact
