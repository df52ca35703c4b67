"""Introspect: what a token is worth, for those who may know (RFC 7662)."""

from dataclasses import dataclass

from auth_service.application.oauth.answers import Answer, Asked
from auth_service.application.oauth.client_authentication import ClientAuthentication
from auth_service.application.oauth.issuing import user_claims
from auth_service.application.oauth.token_reading import TokenReading
from auth_service.domain.oauth.errors import Code, OAuthRefused
from auth_service.domain.oauth.scopes import OPENID

_INACTIVE = Answer(200, {"active": False})


@dataclass(frozen=True, slots=True)
class IntrospectHandler:
    """A client sees its own tokens, a resource server those of its tenant."""

    authenticate: ClientAuthentication
    read: TokenReading

    async def __call__(self, asked: Asked) -> Answer:
        client = await self.authenticate(asked)
        if client.public:
            raise OAuthRefused(Code.INVALID_CLIENT, "Only a client that can authenticate may ask")
        shown = await self.read(asked.parameters.require("token"))
        if shown is None or shown.session.user.tenant != client.tenant:
            return _INACTIVE
        if shown.client_id != client.id and not client.resource_server:
            return _INACTIVE
        return Answer(200, shown.described(asked.issuer))


@dataclass(frozen=True, slots=True)
class UserInfoHandler:
    """What an access token lets its bearer know about the user (OpenID Connect Core 5.3)."""

    read: TokenReading

    async def __call__(self, asked: Asked) -> Answer:
        scheme, _, token = asked.authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            return Answer(401, {}, "Bearer")
        shown = await self.read.access(token)
        if shown is None:
            return _refused(Code.INVALID_TOKEN, "The access token is not valid")
        if OPENID not in shown.scopes:
            return _refused(Code.INSUFFICIENT_SCOPE, "The scope openid is needed")
        return Answer(200, user_claims(shown.session.user, shown.scopes))


def _refused(code: Code, description: str) -> Answer:
    """In the body and, as RFC 6750 section 3 has it, in the header."""
    error = OAuthRefused(code, description)
    challenge = f'Bearer error="{code.value}", error_description="{description}"'
    return Answer(error.status, {"error": code.value, "error_description": description}, challenge)
