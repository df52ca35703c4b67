"""What those who give out tokens answer.

Source: RFC 6749, 5.1 and 5.2; RFC 7662, 2.2; OpenID Connect Core, 3.1.3.7.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Final

import jwt
import msgspec

from workflow_service.adapters.authentication.problems import (
    unanswered,
    unauthenticated,
    unauthorized,
)
from workflow_service.adapters.egress import EgressResponse
from workflow_service.domain.execution.credentials import OAuthCredentials
from workflow_service.domain.expressions import JsonValue

_UNAUTHORIZED: Final = frozenset(
    ("unauthorized_client", "invalid_scope", "invalid_target", "access_denied")
)
_UNAUTHENTICATED: Final = frozenset(("invalid_client", "invalid_grant", "invalid_token"))
_KNOWN: Final = _UNAUTHORIZED | _UNAUTHENTICATED | {"invalid_request", "unsupported_grant_type"}
_TOKEN: Final = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, slots=True)
class Answer:
    """A token, as it was given out."""

    access_token: str
    expires_in: float | None
    """Seconds; None when nobody said."""
    refresh_token: str
    id_token: str


def read_answer(response: EgressResponse) -> Answer:
    """Return the token in *response*.

    Raises:
        CredentialsRefused: there is none.
    """
    members = _members(response)
    if response.status != 200:
        raise _refusal(response.status, members.get("error"))
    token, kind = members.get("access_token"), members.get("token_type", "Bearer")
    if not isinstance(token, str) or _TOKEN.fullmatch(token) is None:
        raise unanswered(500, "The authority answered without an access token.")
    if not isinstance(kind, str) or kind.lower() not in ("bearer", "n_a"):
        raise unauthenticated("The authority gave out a token that is not a bearer token.")
    return Answer(
        access_token=token,
        expires_in=_seconds(members.get("expires_in")),
        refresh_token=_text(members.get("refresh_token")),
        id_token=_text(members.get("id_token")),
    )


def check_id_token(token: str, credentials: OAuthCredentials, issuers: tuple[str, ...]) -> None:
    """Check who issued an ID token, and for whom. It came from the authority itself, so that TLS stands for its signature.

    Raises:
        CredentialsRefused: it is somebody else's.
    """
    claims = claims_of(token)
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if claims.get("iss") not in issuers:
        raise unauthenticated("The ID token has another issuer than the authority.")
    if credentials.client.id and credentials.client.id not in audiences:
        raise unauthenticated("The ID token is for another client.")


def claims_of(token: str) -> dict[str, JsonValue]:
    """Return the claims of a JWT, unverified; none when it is no JWT."""
    try:
        claims: dict[str, JsonValue] = jwt.decode(token, options={"verify_signature": False})
    except jwt.InvalidTokenError:
        return {}
    return claims


def introspected(response: EgressResponse) -> dict[str, JsonValue]:
    """Return what the authority says about a token that is still good.

    Raises:
        CredentialsRefused: it says nothing, or that it is not.
    """
    members = _members(response)
    if response.status != 200:
        raise _refusal(response.status, members.get("error"))
    if members.get("active") is not True:
        raise unauthenticated("The authority says that its token is not active.")
    return members


def _refusal(status: int, error: JsonValue) -> Exception:
    code = error if isinstance(error, str) and error in _KNOWN else ""
    told = f"The authority gave out no token: it answered with status {status}{f', {code}' if code else ''}."
    if code in _UNAUTHORIZED or (not code and status == 403):
        return unauthorized(told)
    if code or status in (400, 401):
        return unauthenticated(told)
    return unanswered(status if status >= 300 else 500, told)


def _members(response: EgressResponse) -> dict[str, JsonValue]:
    try:
        value: JsonValue = msgspec.json.decode(response.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        value = None
    if isinstance(value, dict):
        return value
    if response.status == 200:
        raise unanswered(500, "The authority's answer is not a JSON object.")
    return {}


def _seconds(value: JsonValue) -> float | None:
    if isinstance(value, str) and value.isdecimal():
        value = int(value[:12])
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else ""
