"""The end of an authorization request: a code, tokens in a fragment, or an approved device."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from auth_service.application.oauth.browsing import (
    LOST,
    MessagePage,
    Reaction,
    Sent,
    Shown,
    answered_at,
    refused_at,
)
from auth_service.application.oauth.digests import digest_of, opaque
from auth_service.application.oauth.issuing import Issuing, user_claims
from auth_service.application.ports.oauth import (
    AuthorizationRequests,
    Browser,
    Outcome,
    Pending,
)
from auth_service.domain.oauth.authorization import AuthorizationRequest, ReturnAddress
from auth_service.domain.oauth.client import Client, OAuthPolicy
from auth_service.domain.oauth.errors import Code
from auth_service.domain.oauth.grants import AuthorizationCode, Granted
from auth_service.domain.session import LiveSession, Origin
from auth_service.domain.user import User
from chassis.audit import Audit
from chassis.clock import Clock

_APPROVED: Final = MessagePage(
    "Your device is connected", "You can close this page and go back to it.", is_problem=False
)
_DENIED: Final = MessagePage(
    "Nothing was granted", "The device does not get access. You can close this page.", False
)


@dataclass(frozen=True, slots=True)
class Ready:
    """A request whose user is known and has agreed."""

    pending: Pending
    client: Client
    user: User
    browser: Browser
    scopes: tuple[str, ...]
    """Those of the request that mean something for this user."""
    consent: Sequence[str] | None
    """What is remembered from now on; None: no change."""

    @property
    def granted(self) -> Granted:
        """What the client gets."""
        return Granted(
            client_id=self.client.id,
            user_id=self.user.id,
            tenant=self.user.tenant,
            scopes=self.scopes,
            login=self.browser.login,
            nonce=self.pending.request.nonce,
        )


@dataclass(frozen=True, slots=True)
class Finishing:
    """Finishes requests, each once."""

    requests: AuthorizationRequests
    issuing: Issuing
    policy: OAuthPolicy
    audit: Audit
    clock: Clock

    async def grant(self, ready: Ready, issuer: str, origin: Origin) -> Reaction:
        """Give the client what its user agreed to."""
        self.audit.record(
            "oauth_access_granted",
            tenant=ready.user.tenant,
            actor=ready.user.id,
            target=ready.client.id,
            scope=" ".join(ready.scopes),
        )
        if ready.pending.request.device:
            return await self._device(ready)
        if ready.pending.request.response_type == "code":
            return await self._code(ready, issuer)
        return await self._tokens(ready, issuer, origin)

    async def deny(self, pending: Pending, issuer: str) -> Reaction:
        """Tell the client that its user said no."""
        request = pending.request
        outcome = Outcome(device=request.device)
        done = await self.requests.finish(pending, outcome, consent=None, now=self.clock.now())
        if not done:
            return LOST
        self.audit.record("oauth_access_denied", tenant=pending.tenant, target=request.client_id)
        if request.device:
            return Shown(_DENIED)
        denied = "The user did not agree"
        return Sent(refused_at(target_of(request), issuer, Code.ACCESS_DENIED, denied))

    async def _code(self, ready: Ready, issuer: str) -> Reaction:
        request, now = ready.pending.request, self.clock.now()
        text = opaque(self.issuing.randomness)
        code = AuthorizationCode(
            digest=digest_of(text),
            granted=ready.granted,
            redirect_uri=request.redirect_uri,
            challenge=request.challenge,
            issued_at=now,
            expires_at=now + self.policy.code,
        )
        if not await self._finish(ready, Outcome(code=code, granted=ready.granted)):
            return LOST
        return Sent(answered_at(target_of(request), issuer, code=text))

    async def _tokens(self, ready: Ready, issuer: str, origin: Origin) -> Reaction:
        """The implicit grant, for those who cannot part with it yet."""
        request, granted = ready.pending.request, ready.granted
        prepared = self.issuing.prepare(ready.client, granted, origin, refreshable=False)
        outcome = Outcome(opened=prepared.opened, granted=granted)
        if not await self._finish(ready, outcome):
            return LOST
        members: dict[str, str] = {}
        access_token = ""
        if "token" in request.response_type.split():
            session = LiveSession(prepared.opened.session.id, ready.user, granted.login.proof)
            access_token, life = self.issuing.access_token(ready.client, session, granted.scopes)
            members = {
                "access_token": access_token,
                "token_type": "Bearer",
                "expires_in": str(int(life.total_seconds())),
                "scope": " ".join(granted.scopes),
            }
        if "id_token" in request.response_type.split():
            about = {} if access_token else user_claims(ready.user, granted.scopes)
            members["id_token"] = self.issuing.id_token(
                ready.client, granted, issuer=issuer, access_token=access_token, about_user=about
            )
        return Sent(answered_at(target_of(request), issuer, **members))

    async def _device(self, ready: Ready) -> Reaction:
        outcome = Outcome(device=ready.pending.request.device, granted=ready.granted)
        return Shown(_APPROVED) if await self._finish(ready, outcome) else LOST

    async def _finish(self, ready: Ready, outcome: Outcome) -> bool:
        return await self.requests.finish(
            ready.pending, outcome, consent=ready.consent, now=self.clock.now()
        )


def target_of(request: AuthorizationRequest) -> ReturnAddress:
    """Where the answer to *request* goes."""
    return ReturnAddress(request.redirect_uri, request.response_mode, request.state)
