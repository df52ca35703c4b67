"""Requests to whoever gives out tokens.

Source: RFC 6749, 4 and 6 (grants), 2.3.1 (client's password); RFC 7523 (assertions); RFC 8693 (exchange); RFC 7662, RFC 7009.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote_plus, urlencode

import msgspec

from chassis.clock import Clock
from chassis.ids import Ids
from workflow_service.adapters.authentication.assertions import ASSERTION_TYPE, client_assertion
from workflow_service.adapters.egress import EgressRequest
from workflow_service.domain.definition.oauth_rules import EXCHANGE
from workflow_service.domain.execution.credentials import OAuthCredentials, OAuthToken

_SUBJECT_TYPES: Final = "urn:ietf:params:oauth:token-type:"
_MOST: Final = 64 * 1024
"""Bytes of an answer."""

Fields = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class TokenRequests:
    """Makes requests, with what proves who the client is."""

    clock: Clock
    ids: Ids

    def grant(self, credentials: OAuthCredentials, endpoint: str) -> EgressRequest:
        """Ask for a token as the policy's grant says."""
        fields = [("grant_type", credentials.grant), *_of_grant(credentials)]
        return self._request(credentials, endpoint, fields + _wanted(credentials))

    def refresh(self, credentials: OAuthCredentials, endpoint: str, token: str) -> EgressRequest:
        """Ask for a token in exchange for a refresh *token*."""
        fields = [("grant_type", "refresh_token"), ("refresh_token", token)]
        return self._request(credentials, endpoint, fields)

    def about(self, credentials: OAuthCredentials, endpoint: str, token: str) -> EgressRequest:
        """Ask what an access *token* is (introspection), or that it be forgotten (revocation)."""
        fields = [("token", token), ("token_type_hint", "access_token")]
        return self._request(credentials, endpoint, fields, form=True)

    def _request(
        self, credentials: OAuthCredentials, endpoint: str, fields: Fields, *, form: bool = False
    ) -> EgressRequest:
        headers = {"Accept": "application/json"}
        client = credentials.client
        match client.authentication:
            case "client_secret_basic":
                pair = f"{quote_plus(client.id)}:{quote_plus(client.secret)}".encode()
                headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
            case "client_secret_post":
                fields = [*fields, ("client_id", client.id), ("client_secret", client.secret)]
            case "client_secret_jwt" | "private_key_jwt":
                proof = client_assertion(client, endpoint, self.clock.now(), self.ids.new)
                fields = [
                    *fields,
                    ("client_id", client.id),
                    ("client_assertion_type", ASSERTION_TYPE),
                    ("client_assertion", proof),
                ]
            case "none":
                fields = [*fields, ("client_id", client.id)]
        encoding = "application/x-www-form-urlencoded" if form else credentials.request.encoding
        return EgressRequest(
            method="POST",
            url=endpoint,
            headers={**headers, "Content-Type": encoding},
            body=_encoded([each for each in fields if each[1]], encoding),
            max_bytes=_MOST,
        )


def _of_grant(credentials: OAuthCredentials) -> Fields:
    subject = credentials.subject
    given = subject.token if subject is not None else ""
    match credentials.grant:
        case "password":
            return [("username", credentials.username), ("password", credentials.password)]
        case "refresh_token":
            return [("refresh_token", credentials.refresh_token or given)]
        case "authorization_code":
            return [
                ("code", credentials.code or given),
                ("redirect_uri", credentials.redirect_uri),
                ("code_verifier", credentials.code_verifier),
            ]
        case "client_credentials":
            return []
        case grant if grant == EXCHANGE:
            return [*_token("subject", subject), *_token("actor", credentials.actor)]


def _token(role: str, token: OAuthToken | None) -> Fields:
    if token is None:
        return []
    kind = token.type if ":" in token.type else _SUBJECT_TYPES + token.type
    return [(f"{role}_token", token.token), (f"{role}_token_type", kind)]


def _wanted(credentials: OAuthCredentials) -> Fields:
    scopes = [("scope", " ".join(credentials.scopes))] if credentials.scopes else []
    return scopes + [("audience", audience) for audience in credentials.audiences]


def _encoded(fields: Fields, encoding: str) -> bytes:
    if encoding != "application/json":
        return urlencode(fields).encode()
    members: dict[str, str | list[str]] = {}
    for name, value in fields:
        known = members.get(name)
        if known is None:
            members[name] = value
        else:
            members[name] = [*([known] if isinstance(known, str) else known), value]
    return msgspec.json.encode(members)
