"""Where a browser may be sent: registered addresses only, compared character by character.

Source: RFC 9700 section 2.1, RFC 8252 sections 7 and 8.4 (native applications), OpenID Connect
Core 3.1.2.1. The one thing that may differ is the port of a native application's loopback address.
"""

import re
from collections.abc import Iterable
from typing import Final

MAX_URI: Final = 2048
# What RFC 3986 allows, without "#": a redirect address has no fragment (RFC 6749 section 3.1.2).
_PLAIN: Final = re.compile(r"[A-Za-z0-9\-._~:/?\[\]@!$&'()+,;=%]+", re.ASCII)
_HOST: Final = r"(?P<host>\[[0-9a-f:.]+\]|[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)"
_WEB: Final = re.compile(
    rf"(?P<scheme>https?)://{_HOST}(?::(?P<port>[0-9]{{1,5}}))?(?P<rest>[/?].*)?"
)
_PRIVATE: Final = re.compile(r"(?P<scheme>[a-z][a-z0-9+-]*(?:\.[a-z0-9+-]+)+):/(?!/).*")
_DOTS: Final = re.compile(r"(?:^|/)(?:\.|%2[eE]){1,2}(?:[/?]|$)")
LOOPBACK: Final = frozenset({"127.0.0.1", "[::1]", "localhost"})


def uri_problem(uri: str, *, native: bool) -> str:
    """Why *uri* cannot be registered, in one sentence; "" when it can."""
    if len(uri) > MAX_URI:
        return f"Must not be longer than {MAX_URI} characters"
    if _PLAIN.fullmatch(uri) is None:
        return "Must be an absolute URI in plain ASCII, without fragment or wildcard"
    web = _WEB.fullmatch(uri)
    if web is None:
        if native and _PRIVATE.fullmatch(uri):
            return ""
        return "Must be https://host/… in lower case" + (
            ", or a private scheme such as com.example.app:/callback" if native else ""
        )
    return _web_problem(web)


def _web_problem(web: re.Match[str]) -> str:
    if web["scheme"] == "http" and web["host"] not in LOOPBACK:
        return "Must be https, unless it is a loopback address"
    if web["port"] and not 0 < int(web["port"]) < 65536:
        return "Must have a port between 1 and 65535"
    if _DOTS.search((web["rest"] or "").partition("?")[0]):
        return "Must not have a dot segment"
    return ""


def is_registered(uri: str, registered: Iterable[str], *, native: bool) -> bool:
    """Whether *uri* is one of *registered*."""
    known = tuple(registered)
    if uri in known:
        return True
    return native and any(_same_but_port(uri, each) for each in known)


def form_target(uri: str) -> str:
    """What a Content-Security-Policy has to allow so that a form may end at *uri*."""
    web = _WEB.fullmatch(uri)
    if web is None:
        return uri.partition(":")[0] + ":"
    port = f":{web['port']}" if web["port"] else ""
    return f"{web['scheme']}://{web['host']}{port}"


def _same_but_port(uri: str, registered: str) -> bool:
    if len(uri) > MAX_URI or _PLAIN.fullmatch(uri) is None:
        return False
    given, known = _WEB.fullmatch(uri), _WEB.fullmatch(registered)
    if given is None or known is None or known["host"] not in LOOPBACK or known["scheme"] != "http":
        return False
    port = given["port"]
    if port is not None and not 0 < int(port) < 65536:
        return False
    return (given["scheme"], given["host"], given["rest"]) == (
        known["scheme"],
        known["host"],
        known["rest"],
    )
