"""Requests and responses: what may be sent, what may be sent again, what follows a redirect."""

import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from multidict import CIMultiDictProxy

from workflow_service.adapters.egress.errors import EgressFailed, Failure, RequestInvalid
from workflow_service.adapters.egress.urls import Target, target

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\U0010ffff]*")
_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY"))
_OURS = frozenset((
    "host", "content-length", "transfer-encoding", "connection", "keep-alive", "upgrade", "te",
    "trailer", "proxy-connection", "proxy-authorization", "proxy-authenticate", "expect",
    "http2-settings", "accept-encoding",
))  # fmt: skip
_IDEMPOTENT = frozenset(("GET", "HEAD", "PUT", "DELETE", "OPTIONS", "QUERY"))
REDIRECTS = frozenset((301, 302, 303, 307, 308))
_ABOUT_BODY = frozenset(("content-type", "content-encoding", "content-language"))
_ACROSS_ORIGINS = _ABOUT_BODY | {
    "accept",
    "accept-language",
    "idempotency-key",
    "traceparent",
    "user-agent",
}
"""What may follow a redirect to another origin: any other header may be a credential."""


@dataclass(frozen=True, slots=True)
class EgressRequest:
    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    follow_redirects: bool = False
    timeout: float | None = None
    """Seconds for everything, redirects included but not the wait for the host's turn; never more
    than the client's own limit."""
    max_bytes: int | None = None
    """The largest response, unpacked; None: the client's own limit."""
    tls: ssl.SSLContext | None = None
    """What proves who the client is, and whom it trusts; None: as for all calls. A connection is used
    again for the same context only."""


@dataclass(frozen=True, slots=True)
class EgressResponse:
    status: int
    headers: CIMultiDictProxy[str]
    body: bytes
    """Unpacked, if it came packed."""
    url: str
    """Where it came from, after redirects."""
    retry_after: float | None = None
    """Seconds that a 429 or 503 asks to wait."""


def repeatable(request: EgressRequest) -> bool:
    """Whether a host that gets *request* twice can know that it was meant once."""
    keyed = any(name.lower() == "idempotency-key" for name in request.headers)
    return keyed or request.method in _IDEMPOTENT


def checked(request: EgressRequest) -> EgressRequest:
    """The request, if it says nothing that could be read as more than one request.

    Raises:
        RequestInvalid: it does.
    """
    method = request.method.upper()
    if method not in _METHODS:
        raise RequestInvalid("the HTTP method is not supported")
    for name, value in request.headers.items():
        if not _TOKEN.fullmatch(name) or not _VALUE.fullmatch(value):
            raise RequestInvalid("a header name or value has characters that are not allowed")
        if name.lower() in _OURS:
            raise RequestInvalid(f"the header '{name}' may not be set")
    return replace(request, method=method)


def redirected(
    request: EgressRequest, place: Target, status: int, location: str
) -> tuple[EgressRequest, Target]:
    """The next request after a redirect (RFC 9110, 15.4), without credentials for strangers."""
    try:
        following = target(location, place)
    except RequestInvalid as exc:
        raise EgressFailed(Failure.PROTOCOL) from exc
    headers = dict(request.headers)
    if following.origin != place.origin:
        headers = {k: v for k, v in headers.items() if k.lower() in _ACROSS_ORIGINS}
        request = replace(request, tls=None)
    seen_other = status == 303 and request.method not in ("GET", "HEAD")
    if seen_other or (status in (301, 302) and request.method == "POST"):
        headers = {k: v for k, v in headers.items() if k.lower() not in _ABOUT_BODY}
        return replace(request, method="GET", body=None, headers=headers), following
    return replace(request, headers=headers), following
