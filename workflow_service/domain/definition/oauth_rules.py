"""What a policy for OAuth 2.0 or OpenID Connect must have for its grant and its way of proving who the client is.

Source: Open Workflow Specification, DSL reference, "OAUTH2 Authentication", "OpenIdConnect Authentication"; RFC 6749, 7523, 8693.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from workflow_service.domain.expressions import JsonValue

EXCHANGE: Final = "urn:ietf:params:oauth:grant-type:token-exchange"
DEFAULT_METHOD: Final = "client_secret_post"


def missing_members(policy: Mapping[str, JsonValue]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield what *policy* lacks: the path of the member it belongs to, and what to do."""
    client = policy.get("client")
    yield from _missing_of_client(client if isinstance(client, dict) else {})
    yield from _missing_of_grant(policy)


def _missing_of_client(client: Mapping[str, JsonValue]) -> Iterator[tuple[tuple[str, ...], str]]:
    method = client.get("authentication", DEFAULT_METHOD)
    if method == "none":
        return
    if "id" not in client:
        yield ("client",), f"needs an id, since the client authenticates by {method}"
    if method == "private_key_jwt":
        if "assertion" not in client and "secret" not in client:
            yield (
                ("client",),
                ("needs an assertion, or as its secret the private key (PEM) that signs one"),
            )
    elif "secret" not in client and not (method == "client_secret_jwt" and "assertion" in client):
        yield ("client",), f"needs a secret, since the client authenticates by {method}"


def _missing_of_grant(policy: Mapping[str, JsonValue]) -> Iterator[tuple[tuple[str, ...], str]]:
    match policy.get("grant"):
        case "password":
            for name in ("username", "password"):
                if name not in policy:
                    yield (), f"needs a {name} for the grant password"
        case "refresh_token" if not {"subject", "refreshToken"} & policy.keys():
            yield (), "needs the refresh token, as subject.token"
        case "authorization_code" if not {"subject", "code"} & policy.keys():
            yield (), "needs the authorization code, as subject.token"
        case grant if grant == EXCHANGE and "subject" not in policy:
            yield (), "needs a subject, whose token is exchanged"
        case _:
            return
