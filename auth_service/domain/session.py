"""Sessions and their refresh tokens.

A session is a family of refresh tokens: each use spends one generation and gives the next. Using
a spent one again means that two parties hold the family, so the whole session dies.
"""

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from auth_service.domain.mfa.proofs import UNPROVED, Proof
from auth_service.domain.user import User

MAX_ADDRESS = 64
MAX_USER_AGENT = 512
UNKNOWN_NETWORK = "unknown"


class RevocationReason(StrEnum):
    """Why a session was ended before its time."""

    LOGOUT = "logout"
    ENDED_BY_OWNER = "ended_by_owner"
    ENDED_BY_ADMINISTRATOR = "ended_by_administrator"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a reason, no secret
    ACCOUNT_DEACTIVATED = "account_deactivated"
    ACCOUNT_DELETED = "account_deleted"
    REFRESH_TOKEN_REUSED = "refresh_token_reused"  # noqa: S105 - a reason, no secret
    CODE_REUSED = "code_reused"
    TOKEN_REVOKED = "token_revoked"  # noqa: S105 - a reason, no secret
    CONSENT_WITHDRAWN = "consent_withdrawn"
    CLIENT_DELETED = "client_deleted"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from, as the gateway saw it."""

    address: str = ""
    user_agent: str = ""

    @property
    def network(self) -> str:
        """What guesses are counted by: the IPv4 address, or the /64 of an IPv6 address.

        A whole /64 belongs to one subscriber, who may change the rest at will.
        """
        try:
            address = ipaddress.ip_address(self.address)
        except ValueError:
            return UNKNOWN_NETWORK
        if isinstance(address, ipaddress.IPv4Address):
            return str(address)
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((int(address), 64), strict=False))

    @property
    def neighbourhood(self) -> str:
        """The /24 of an IPv4 address, or the /48 of an IPv6 address: what one party may well have.

        It is also where somebody is: providers give other addresses of it from day to day.
        """
        try:
            address = ipaddress.ip_address(self.address)
        except ValueError:
            return UNKNOWN_NETWORK
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        bits = 24 if isinstance(address, ipaddress.IPv4Address) else 48
        return str(ipaddress.ip_network((int(address), bits), strict=False))


@dataclass(frozen=True, slots=True)
class Session:
    """One login of one user on one device; *proof* says how it was made sure that it is they."""

    id: str
    user_id: str
    tenant: str
    origin: Origin
    created_at: datetime
    proof: Proof
    client_id: str = ""
    """The OAuth client that it was granted to; "" for a login to the API itself."""
    parent_id: str = ""
    """The login in a browser that it came from, if any."""


@dataclass(frozen=True, slots=True)
class RefreshGrant:
    """A refresh token as the store knows it: the SHA-256 of the token, never the token."""

    digest: bytes
    issued_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class LiveSession:
    """A session that still counts, with its user and the latest proof of them as of now."""

    id: str
    user: User
    proof: Proof = UNPROVED
    has_factor: bool = False
    """Whether the user has a second factor."""


@dataclass(frozen=True, slots=True)
class SessionPolicy:
    """How long tokens live."""

    access_token: timedelta = timedelta(minutes=10)
    internal_token: timedelta = timedelta(seconds=60)
    refresh_token: timedelta = timedelta(days=30)
    leeway: timedelta = timedelta(seconds=60)
    """How far the clocks of two machines may be apart."""

    def forget_revocation_at(self, revoked_at: datetime) -> datetime:
        """When no access token of a session revoked at *revoked_at* can be alive anyway."""
        return revoked_at + self.access_token + self.leeway

    def forget_change_at(self, changed_at: datetime) -> datetime:
        """When no internal token made before *changed_at* can be alive anyway."""
        return changed_at + self.internal_token + self.leeway
