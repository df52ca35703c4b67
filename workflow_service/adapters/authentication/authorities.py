"""Where authorities are asked: as policies say, or as the authorities publish.

Source: Open Workflow Specification, DSL reference, "OAUTH2 Authentication"; OpenID Connect Discovery 1.0, 4; RFC 8414.
"""

from __future__ import annotations

import re
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import msgspec

from workflow_service.adapters.authentication.outward import Egress
from workflow_service.adapters.authentication.problems import unanswered, unauthenticated
from workflow_service.adapters.egress import EgressRequest
from workflow_service.domain.execution.credentials import OAuthCredentials

_DISCOVERY: Final = "/.well-known/openid-configuration"
_WELL_KNOWN: Final = re.compile(r"/\.well-known/(openid-configuration|oauth-authorization-server)$")
_ABSOLUTE: Final = re.compile(r"https?://", re.IGNORECASE)
_KEPT: Final = 256
_LIFE: Final = 600.0
"""Seconds for which what an authority publishes is believed."""
_MOST: Final = 256 * 1024
"""Bytes of what an authority publishes."""


@dataclass(frozen=True, slots=True)
class Authority:
    """Whom to ask, and where."""

    token: str
    revocation: str
    """Empty: it cannot be asked to forget tokens."""
    introspection: str
    """Empty: it cannot be asked about tokens."""
    issuer: str
    """As it published; empty when it was not asked."""


class _Published(msgspec.Struct):
    issuer: str
    token_endpoint: str
    revocation_endpoint: str = ""
    introspection_endpoint: str = ""


class Authorities:
    """Finds the endpoints of authorities."""

    def __init__(self, egress: Egress, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._egress = egress
        self._monotonic = monotonic
        self._known: OrderedDict[str, tuple[_Published, float]] = OrderedDict()

    async def of(self, credentials: OAuthCredentials) -> Authority:
        """Return whom to ask for tokens.

        Raises:
            EgressError: the authority cannot be reached.
            CredentialsRefused: it does not publish what it must, or not as itself.
        """
        base, endpoints = credentials.authority, credentials.endpoints
        if credentials.oidc or _WELL_KNOWN.search(base) is not None:
            published = await self._published(base, credentials.issuers)
            return Authority(
                token=_joined(base, endpoints.token) or published.token_endpoint,
                revocation=_joined(base, endpoints.revocation) or published.revocation_endpoint,
                introspection=_joined(base, endpoints.introspection)
                or published.introspection_endpoint,
                issuer=published.issuer,
            )
        return Authority(
            token=_joined(base, endpoints.token or "/oauth2/token"),
            revocation=_joined(base, endpoints.revocation),
            introspection=_joined(base, endpoints.introspection or "/oauth2/introspect"),
            issuer="",
        )

    async def _published(self, authority: str, issuers: tuple[str, ...]) -> _Published:
        base = _WELL_KNOWN.sub("", authority).rstrip("/")
        url = authority if _WELL_KNOWN.search(authority) else base + _DISCOVERY
        known = self._known.get(url)
        if known is None or self._monotonic() >= known[1]:
            known = (await self._asked(url), self._monotonic() + _LIFE)
            self._known[url] = known
            if len(self._known) > _KEPT:
                self._known.popitem(last=False)
        # OpenID Connect Discovery 1.0, 4.3: else anybody could publish somebody else's endpoints.
        if known[0].issuer.rstrip("/") != base and known[0].issuer not in issuers:
            raise unauthenticated("The authority publishes the configuration of another issuer.")
        return known[0]

    async def _asked(self, url: str) -> _Published:
        request = EgressRequest("GET", url, {"Accept": "application/json"}, max_bytes=_MOST)
        response = await self._egress.request(request)
        if response.status != 200:
            told = f"The authority publishes no configuration: status {response.status}."
            raise unanswered(response.status if response.status >= 300 else 500, told)
        try:
            return msgspec.json.decode(response.body, type=_Published)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
            raise unanswered(500, "The authority's configuration cannot be read.") from exc


def _joined(authority: str, endpoint: str) -> str:
    """Return where *endpoint* is, which is relative to the authority unless it is a whole address."""
    if not endpoint or _ABSOLUTE.match(endpoint):
        return endpoint
    base = _WELL_KNOWN.sub("", authority).rstrip("/")
    return f"{base}/{endpoint.lstrip('/')}"
