"""Who a client is, and by what it proves that (RFC 6749 section 2.3, RFC 7523 section 2.2)."""

import base64
import binascii
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import unquote_plus

import msgspec

from auth_service.application.oauth.answers import Asked
from auth_service.application.oauth.digests import digest_of
from auth_service.application.ports.oauth import (
    IdTokens,
    OAuthClients,
)
from auth_service.domain.oauth.client import AuthMethod, Client
from auth_service.domain.oauth.errors import Code, OAuthRefused
from chassis.audit import Audit
from chassis.clock import Clock

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass(frozen=True, slots=True)
class _Shown:
    """What a request shows of its client."""

    method: AuthMethod
    client_id: str
    proof: str = ""


@dataclass(frozen=True, slots=True)
class ClientAuthentication:
    """Tells which client asks. A client uses the method that it is registered with."""

    clients: OAuthClients
    id_tokens: IdTokens
    audit: Audit
    clock: Clock

    async def __call__(self, asked: Asked) -> Client:
        """The client that asks.

        Raises:
            OAuthRefused: `invalid_client`, or `invalid_request` when it shows two proofs.
        """
        shown = _shown(asked)
        client = await self.clients.find(shown.client_id) if shown.client_id else None
        if (
            client is None
            or not client.auth_method.takes(shown.method)
            or not await self._proved(client, shown, asked)
        ):
            self._refuse(shown, asked)
        else:
            return client
        raise _invalid()

    async def _proved(self, client: Client, shown: _Shown, asked: Asked) -> bool:
        match shown.method:
            case AuthMethod.NONE:
                return True
            case AuthMethod.BASIC | AuthMethod.POST:
                return await self._has_secret(client, shown.proof)
            case AuthMethod.PRIVATE_KEY_JWT:
                return await self._has_key(client, shown.proof, asked)

    async def _has_secret(self, client: Client, secret: str) -> bool:
        digest = digest_of(secret)
        live = await self.clients.secrets(client.id, self.clock.now())
        return any(hmac.compare_digest(each.digest, digest) for each in live)

    async def _has_key(self, client: Client, assertion: str, asked: Asked) -> bool:
        claims = self.id_tokens.read_assertion(
            assertion,
            client.jwks,
            client_id=client.id,
            audiences=(asked.issuer, f"{asked.issuer}/oauth2/token"),
            now=self.clock.now(),
        )
        if claims is None:
            return False
        expires = claims["exp"]
        until = datetime.fromtimestamp(
            float(expires) if isinstance(expires, int | float) else 0, UTC
        )
        return await self.clients.first_use(client.id, digest_of(str(claims["jti"])), until)

    def _refuse(self, shown: _Shown, asked: Asked) -> None:
        self.audit.record(
            "oauth_client_refused",
            client_id=shown.client_id[:64],
            method=shown.method.value,
            network=asked.origin.network,
        )


def _shown(asked: Asked) -> _Shown:
    parameters = asked.parameters
    client_id, secret = parameters.get("client_id"), parameters.get("client_secret")
    assertion = parameters.get("client_assertion")
    if (bool(asked.authorization), bool(secret), bool(assertion)).count(True) > 1:
        raise OAuthRefused(Code.INVALID_REQUEST, "The client may prove who it is in one way only")
    if asked.authorization:
        shown = _basic(asked.authorization)
        if client_id and client_id != shown.client_id:
            raise _invalid()
        return shown
    if assertion:
        if parameters.get("client_assertion_type") != ASSERTION_TYPE:
            raise OAuthRefused(Code.INVALID_REQUEST, "The client_assertion_type is not known")
        return _Shown(AuthMethod.PRIVATE_KEY_JWT, client_id or _issuer(assertion), assertion)
    if secret:
        return _Shown(AuthMethod.POST, client_id, secret)
    if not client_id:
        raise _invalid()
    return _Shown(AuthMethod.NONE, client_id)


def _basic(header: str) -> _Shown:
    """Both halves are form-encoded first (RFC 6749 section 2.3.1)."""
    scheme, _, encoded = header.partition(" ")
    try:
        if scheme.lower() != "basic":
            raise _invalid()
        name, colon, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
        if not colon:
            raise _invalid()
        return _Shown(
            AuthMethod.BASIC,
            unquote_plus(name, errors="strict"),
            unquote_plus(secret, errors="strict"),
        )
    except (binascii.Error, UnicodeDecodeError) as exc:
        raise _invalid() from exc


def _issuer(assertion: str) -> str:
    """Whom *assertion* claims to be from: good for finding the key that proves it only."""
    try:
        payload = assertion.split(".")[1]
        decoded = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
        issuer = msgspec.json.decode(decoded, type=dict[str, object]).get("iss")
    except (IndexError, ValueError, binascii.Error, msgspec.DecodeError, RecursionError):
        return ""
    return issuer if isinstance(issuer, str) else ""


def _invalid() -> OAuthRefused:
    return OAuthRefused(Code.INVALID_CLIENT, "The client is not known, or did not prove who it is")
