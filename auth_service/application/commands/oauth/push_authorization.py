"""PushAuthorization: a client hands in its request before the browser comes (RFC 9126)."""

from dataclasses import dataclass
from typing import Final

from auth_service.application.commands.oauth.authorize import PUSHED
from auth_service.application.oauth.answers import Answer, Asked
from auth_service.application.oauth.client_authentication import ClientAuthentication
from auth_service.application.oauth.digests import digest_of, opaque
from auth_service.application.ports import Randomness
from auth_service.application.ports.oauth import AuthorizationRequests
from auth_service.domain.oauth.authorization import ErrorRedirect, RedirectRefused, read_request
from auth_service.domain.oauth.client import OAuthPolicy
from auth_service.domain.oauth.errors import Code, OAuthRefused
from chassis.clock import Clock

_PROOFS: Final = frozenset({"client_secret", "client_assertion", "client_assertion_type"})


@dataclass(frozen=True, slots=True)
class PushAuthorizationHandler:
    """Checks the request as if the browser had brought it, and keeps it for a minute."""

    authenticate: ClientAuthentication
    requests: AuthorizationRequests
    policy: OAuthPolicy
    randomness: Randomness
    clock: Clock

    async def __call__(self, asked: Asked) -> Answer:
        client = await self.authenticate(asked)
        if asked.parameters.get("request_uri"):
            raise OAuthRefused(Code.INVALID_REQUEST, "A request_uri cannot be pushed")
        try:
            read_request(asked.parameters, client, legacy=self.policy.legacy)
        except RedirectRefused as exc:
            raise OAuthRefused(Code.INVALID_REQUEST, exc.reason) from exc
        except ErrorRedirect as exc:
            raise OAuthRefused(exc.code, exc.description) from exc
        values = {
            name: value for name, value in asked.parameters.values.items() if name not in _PROOFS
        }
        reference = opaque(self.randomness)
        until = self.clock.now() + self.policy.pushed
        await self.requests.push(
            digest_of(reference), client.id, {**values, "client_id": client.id}, until
        )
        life = int(self.policy.pushed.total_seconds())
        return Answer(201, {"request_uri": f"{PUSHED}{reference}", "expires_in": life})
