"""What was granted to a client, and the codes that stand for it."""

from dataclasses import dataclass
from datetime import datetime

from auth_service.domain.oauth import pkce
from auth_service.domain.oauth.authorization import Login
from auth_service.domain.oauth.errors import Code, OAuthRefused


@dataclass(frozen=True, slots=True)
class Granted:
    """What a user lets a client do. For a client that acts for itself the user is its account."""

    client_id: str
    user_id: str
    tenant: str
    scopes: tuple[str, ...]
    login: Login
    """How the user proved who they are; ID tokens tell it."""
    nonce: str = ""


@dataclass(frozen=True, slots=True)
class Delegation:
    """What the token of a client says beyond whom it stands for: its permissions are narrowed."""

    client_id: str
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AuthorizationCode:
    """A code as the store knows it: its SHA-256, and everything that it is bound to."""

    digest: bytes
    granted: Granted
    redirect_uri: str
    challenge: str
    issued_at: datetime
    expires_at: datetime


def check_redemption(
    code: AuthorizationCode, *, client_id: str, redirect_uri: str, verifier: str, now: datetime
) -> None:
    """Refuse unless whoever brings *code* is the one whom it was given to.

    Raises:
        OAuthRefused: `invalid_grant`, which tells nothing about why.
    """
    fits = (
        code.granted.client_id == client_id
        and code.redirect_uri == redirect_uri
        and now < code.expires_at
        and pkce.answers(verifier, code.challenge)
    )
    if not fits:
        raise invalid_grant()


def invalid_grant() -> OAuthRefused:
    """The one answer to every code and token that does not count."""
    return OAuthRefused(
        Code.INVALID_GRANT, "The code or token is not valid, or not for this client"
    )
