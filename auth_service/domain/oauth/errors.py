"""How OAuth says no (RFC 6749 sections 4.1.2.1 and 5.2, and the specifications that add to them)."""

from enum import StrEnum
from typing import Final

from chassis.errors import Invalid


class Code(StrEnum):
    """What is told to a client; the names are those of the specifications."""

    INVALID_REQUEST = "invalid_request"
    INVALID_CLIENT = "invalid_client"
    INVALID_GRANT = "invalid_grant"
    INVALID_SCOPE = "invalid_scope"
    UNAUTHORIZED_CLIENT = "unauthorized_client"
    UNSUPPORTED_GRANT_TYPE = "unsupported_grant_type"
    UNSUPPORTED_RESPONSE_TYPE = "unsupported_response_type"
    UNSUPPORTED_TOKEN_TYPE = "unsupported_token_type"  # noqa: S105 -- a code, no secret
    ACCESS_DENIED = "access_denied"
    SERVER_ERROR = "server_error"
    TEMPORARILY_UNAVAILABLE = "temporarily_unavailable"
    LOGIN_REQUIRED = "login_required"
    CONSENT_REQUIRED = "consent_required"
    INTERACTION_REQUIRED = "interaction_required"
    ACCOUNT_SELECTION_REQUIRED = "account_selection_required"
    REQUEST_NOT_SUPPORTED = "request_not_supported"
    REGISTRATION_NOT_SUPPORTED = "registration_not_supported"
    AUTHORIZATION_PENDING = "authorization_pending"
    SLOW_DOWN = "slow_down"
    EXPIRED_TOKEN = "expired_token"  # noqa: S105 -- a code, no secret
    INVALID_TOKEN = "invalid_token"  # noqa: S105 -- a code, no secret
    INSUFFICIENT_SCOPE = "insufficient_scope"


STATUSES: Final = {
    Code.INVALID_CLIENT: 401,
    Code.INVALID_TOKEN: 401,
    Code.INSUFFICIENT_SCOPE: 403,
    Code.TEMPORARILY_UNAVAILABLE: 503,
}
"""The HTTP status of a code; 400 is that of all others."""


class OAuthRefused(Invalid):
    """A protocol request is refused with *code*; *description* is for the client's developer.

    It is turned into the protocol's own answer where the use case ends, and crosses no wire.
    """

    def __init__(self, code: Code, description: str) -> None:
        super().__init__(description)
        self.code = code
        self.description = description

    @property
    def status(self) -> int:
        """The HTTP status that says it."""
        return STATUSES.get(self.code, 400)
