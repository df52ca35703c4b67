"""Facts that others may want to know. They leave through the outbox."""

from dataclasses import dataclass
from datetime import datetime

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


Event = UserRegistered | UserUpdated | SessionRevoked
