"""Headers that every answer has, and those of cross-origin requests."""

import re
from collections.abc import Sequence
from typing import Final

from multidict import CIMultiDict, CIMultiDictProxy

API_HEADERS: Final = (
    ("Server", "autoworker"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cache-Control", "no-store"),
)
REQUEST_ID: Final = "X-Request-Id"
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,128}")
_EXPOSED: Final = (
    "X-Request-Id, Location, Retry-After, RateLimit, RateLimit-Policy, WWW-Authenticate"
)
_ALLOWED: Final = (
    "Authorization, Content-Type, Accept, API-Version, Idempotency-Key, Last-Event-ID, "
    "X-Request-Id, X-API-Key, traceparent"
)


def fresh(request_id: str) -> CIMultiDict[str]:
    """The headers of an answer that is about to be made."""
    headers = CIMultiDict(API_HEADERS)
    headers[REQUEST_ID] = request_id
    return headers


def acceptable_request_id(sent: str | None) -> str | None:
    """The id that a client sent, if it can be written into headers and logs as it is."""
    return sent if sent is not None and _REQUEST_ID.fullmatch(sent) else None


def allow_origin(
    headers: CIMultiDictProxy[str], origins: Sequence[str], answer: CIMultiDict[str]
) -> bool:
    """Let scripts of a configured origin read the answer; whether the request is from one.

    Credentials (cookies) are never allowed: tokens travel in a header that scripts set.
    """
    if not origins:
        return False
    answer.add("Vary", "Origin")
    origin = headers.get("Origin")
    if origin is None or origin not in origins:
        return False
    answer["Access-Control-Allow-Origin"] = origin
    answer["Access-Control-Expose-Headers"] = _EXPOSED
    answer["Cross-Origin-Resource-Policy"] = "cross-origin"
    return True


def preflight(allowed: Sequence[str], answer: CIMultiDict[str]) -> None:
    """What a browser asks before it sends a request from another origin."""
    answer["Access-Control-Allow-Methods"] = ", ".join(allowed)
    answer["Access-Control-Allow-Headers"] = _ALLOWED
    answer["Access-Control-Max-Age"] = "600"
