"""Authorize: a browser arrives with an authorization request (RFC 6749 section 4.1.1)."""

from dataclasses import dataclass, replace
from typing import Final

from auth_service.application.key_ring import KeyRing
from auth_service.application.oauth.browsing import (
    Cookie,
    Reaction,
    Sent,
    Visit,
    cookie_of,
    problem,
    refused_at,
)
from auth_service.application.oauth.digests import digest_of, is_opaque, opaque
from auth_service.application.oauth.finishing import target_of
from auth_service.application.oauth.progressing import Progressing
from auth_service.application.ports import Randomness
from auth_service.application.ports.oauth import (
    AuthorizationRequests,
    IdTokens,
    OAuthClients,
    Pending,
)
from auth_service.domain.oauth.authorization import (
    SILENT,
    AuthorizationRequest,
    ErrorRedirect,
    RedirectRefused,
    Step,
    read_request,
)
from auth_service.domain.oauth.client import Client, OAuthPolicy
from auth_service.domain.oauth.errors import Code
from auth_service.domain.oauth.parameters import Parameters
from auth_service.domain.signing_key import ID_USES
from chassis.audit import Audit
from chassis.clock import Clock

PUSHED: Final = "urn:ietf:params:oauth:request_uri:"


@dataclass(frozen=True, slots=True)
class AuthorizeHandler:
    """Reads the request once, binds it to the browser, and begins."""

    clients: OAuthClients
    requests: AuthorizationRequests
    progressing: Progressing
    id_tokens: IdTokens
    ring: KeyRing
    policy: OAuthPolicy
    randomness: Randomness
    audit: Audit
    clock: Clock

    async def __call__(self, visit: Visit) -> Reaction:
        client = await self.clients.find(visit.parameters.get("client_id"))
        if client is None:
            return problem("The application that sent you here is not known.")
        parameters = await self._parameters(visit.parameters, client)
        if parameters is None:
            return problem("The request of the application has expired, or was used before.")
        try:
            request = read_request(parameters, client, legacy=self.policy.legacy)
            return await self._begin(request, client, visit)
        except RedirectRefused as exc:
            self.audit.record(
                "oauth_redirect_refused", tenant=client.tenant, target=client.id, reason=exc.reason
            )
            return problem(exc.reason)
        except ErrorRedirect as exc:
            return Sent(refused_at(exc.target, visit.issuer, exc.code, exc.description))

    async def _parameters(self, sent: Parameters, client: Client) -> Parameters | None:
        """Those of the browser, or in their place those that the client pushed (RFC 9126)."""
        uri = sent.get("request_uri")
        if not uri:
            return sent
        reference = uri.removeprefix(PUSHED)
        if reference == uri or not is_opaque(reference):
            return None
        values = await self.requests.take_pushed(digest_of(reference), client.id, self.clock.now())
        return None if values is None else Parameters(values)

    async def _begin(self, request: AuthorizationRequest, client: Client, visit: Visit) -> Reaction:
        cookie = cookie_of(visit, self.randomness)
        request_id = opaque(self.randomness)
        pending = self._pending(request, client, visit, cookie, request_id)
        standing = await self.progressing.standing(pending, client)
        if "none" in request.prompt and standing.step is not Step.DONE:
            raise _told(request, SILENT[standing.step], "The user would have to be asked")
        await self.requests.add(pending)
        if standing.step is Step.DONE:
            return await self.progressing.finish(
                standing, visit.issuer, visit.origin, consented=False
            )
        return Sent(f"{visit.issuer}/oauth2/continue?id={request_id}", cookie.to_set)

    def _pending(
        self,
        request: AuthorizationRequest,
        client: Client,
        visit: Visit,
        cookie: Cookie,
        request_id: str,
    ) -> Pending:
        now = self.clock.now()
        hinted = self._hinted(request, client, visit.issuer) if request.id_token_hint else ""
        return Pending(
            digest=digest_of(request_id),
            tenant=client.tenant,
            request=replace(request, id_token_hint=""),
            browser=cookie.digest,
            started_at=now,
            expires_at=now + self.policy.request,
            hinted_user=hinted,
        )

    def _hinted(self, request: AuthorizationRequest, client: Client, issuer: str) -> str:
        keys = [key for use in ID_USES for key in self.ring.verifying(use)]
        claims = self.id_tokens.read_hint(request.id_token_hint, keys, issuer)
        if claims is None or claims.get("aud") != client.id:
            raise _told(
                request, Code.INVALID_REQUEST, "The id_token_hint is not ours, or not yours"
            )
        return str(claims["sub"])


def _told(request: AuthorizationRequest, code: Code, description: str) -> ErrorRedirect:
    return ErrorRedirect(target_of(request), code, description)
