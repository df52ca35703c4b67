"""Token: a grant becomes tokens (RFC 6749 section 3.2)."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from auth_service.application.oauth.answers import Answer, Asked
from auth_service.application.oauth.client_authentication import ClientAuthentication
from auth_service.domain.oauth.client import LEGACY, Client, GrantType
from auth_service.domain.oauth.errors import Code, OAuthRefused
from chassis.audit import Audit

Members = Mapping[str, object]
GrantHandler = Callable[[Client, Asked], Awaitable[Members]]


@dataclass(frozen=True, slots=True)
class TokenHandler:
    """Finds out who asks and by what grant; each grant has a handler of its own."""

    authenticate: ClientAuthentication
    handlers: Mapping[GrantType, GrantHandler]
    legacy: frozenset[GrantType]
    audit: Audit

    async def __call__(self, asked: Asked) -> Answer:
        grant = self._grant(asked.parameters.require("grant_type"))
        client = await self.authenticate(asked)
        if grant not in client.grants:
            raise OAuthRefused(
                Code.UNAUTHORIZED_CLIENT, "The client is not registered for this grant_type"
            )
        members = await self.handlers[grant](client, asked)
        self.audit.record(
            "oauth_token_issued",
            client_id=client.id,
            tenant=client.tenant,
            grant=grant.value,
            network=asked.origin.network,
        )
        return Answer(200, members)

    def _grant(self, name: str) -> GrantType:
        known = {grant.value: grant for grant in self.handlers}
        grant = known.get(name)
        if grant is None or (grant in LEGACY and grant not in self.legacy):
            raise OAuthRefused(Code.UNSUPPORTED_GRANT_TYPE, "The grant_type is not supported")
        return grant
