"""URLs, read once, the way browsers do (WHATWG URL standard), and never again differently."""

from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

import ada_url
from yarl import URL

from workflow_service.adapters.egress.errors import EgressRefused, RequestInvalid

MAX_URL = 8_192
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Target:
    """An http or https URL, taken apart; what is checked is what is connected to."""

    url: URL
    scheme: str
    host: str
    """Lower case; IPv6 addresses without brackets."""
    port: int

    @property
    def origin(self) -> tuple[str, str, int]:
        return self.scheme, self.host, self.port


@lru_cache(1_024)
def target(url: str, base: Target | None = None) -> Target:
    """Read *url*, which may be relative to *base*.

    Raises:
        RequestInvalid: it is no absolute URL, or too long.
        EgressRefused: another scheme, or a user name in it.
    """
    if len(url) > MAX_URL:
        raise RequestInvalid(f"the URL is longer than {MAX_URL} characters")
    try:
        parsed = ada_url.URL(url, base=str(base.url)) if base else ada_url.URL(url)
    except (ValueError, UnicodeEncodeError):
        raise RequestInvalid("the URL is not valid") from None
    parsed.hash = ""
    scheme = parsed.protocol.removesuffix(":")
    if scheme not in _DEFAULT_PORTS or parsed.username or parsed.password:
        raise EgressRefused
    host = parsed.hostname.removeprefix("[").removesuffix("]")
    port = int(parsed.port) if parsed.port else _DEFAULT_PORTS[scheme]
    return _agreed(Target(URL(parsed.href, encoded=True), scheme, host, port))


def _agreed(found: Target) -> Target:
    """Refuse what the HTTP library would read differently."""
    again = urlsplit(str(found.url))
    if (
        found.url.raw_host != found.host
        or found.url.port != found.port
        or found.url.scheme != found.scheme
        or again.hostname != found.host
        or again.username is not None
    ):
        raise EgressRefused
    return found
