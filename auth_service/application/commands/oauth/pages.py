"""The pages on which users log in and agree; nothing of the request comes from the browser again."""

from dataclasses import dataclass
from typing import assert_never

from auth_service.application.authentication import (
    Authenticated,
    Authenticator,
    FactorRequired,
    PasswordAttempt,
    Refused,
)
from auth_service.application.commands.oauth.factor_step import (
    ENROL_FIRST,
    FACTOR_STEP,
    Asking,
    FactorStep,
)
from auth_service.application.oauth.browser_login import BrowserLogin
from auth_service.application.oauth.browsing import (
    CSRF,
    LOST,
    Cookie,
    Reaction,
    Sent,
    Visit,
    cookie_of,
    problem,
)
from auth_service.application.oauth.digests import digest_of, is_opaque
from auth_service.application.oauth.finishing import Finishing
from auth_service.application.oauth.progressing import Progressing, Standing, login_again, page_for
from auth_service.application.ports import Randomness
from auth_service.application.ports.oauth import (
    AuthorizationRequests,
    OAuthClients,
    Pending,
)
from auth_service.domain.errors import AccountDisabled, EmailNotVerified, InputInvalid
from auth_service.domain.oauth.authorization import Step
from chassis.clock import Clock

WRONG = "The e-mail address or the password is not right."
TOO_MANY = "There were too many attempts. Wait a few minutes, then try again."


@dataclass(frozen=True, slots=True)
class Conversations:
    """Finds the request that a browser goes on with: only the one that began it may."""

    requests: AuthorizationRequests
    clients: OAuthClients
    randomness: Randomness
    clock: Clock

    async def pending(self, visit: Visit) -> tuple[Pending, Cookie, str] | None:
        """The request, this browser's cookie, and the id under which it knows the request."""
        request_id = visit.parameters.get("id")
        cookie = cookie_of(visit, self.randomness)
        if not is_opaque(request_id) or cookie.is_new:
            return None
        pending = await self.requests.find(digest_of(request_id), self.clock.now())
        if pending is None or pending.browser != cookie.digest:
            return None
        return pending, cookie, request_id


@dataclass(frozen=True, slots=True)
class ShowPageHandler:
    """Shows what comes next, or finishes when nothing is left to do."""

    conversations: Conversations
    clients: OAuthClients
    progressing: Progressing

    async def __call__(self, visit: Visit) -> Reaction:
        found = await self.conversations.pending(visit)
        if found is None:
            return LOST
        pending, cookie, request_id = found
        client = await self.clients.find(pending.request.client_id)
        if client is None:
            return LOST
        standing = await self.progressing.standing(pending, client)
        if standing.step is Step.DONE:
            return await self.progressing.finish(
                standing, visit.issuer, visit.origin, consented=False
            )
        return page_for(standing, cookie, request_id)


@dataclass(frozen=True, slots=True)
class SubmitPageHandler:
    """Takes what a user says on a page: their password, a code, yes, or no."""

    conversations: Conversations
    clients: OAuthClients
    progressing: Progressing
    finishing: Finishing
    authenticate: Authenticator
    log_in: BrowserLogin
    factor: FactorStep

    async def __call__(self, visit: Visit) -> Reaction:
        found = await self.conversations.pending(visit)
        request_id = visit.parameters.get("id")
        if found is None:
            return CSRF if not is_opaque(visit.cookie) else LOST
        pending, cookie, _ = found
        if not cookie.accepts(visit.parameters.get("csrf"), request_id):
            return CSRF
        client = await self.clients.find(pending.request.client_id)
        if client is None:
            return LOST
        standing = await self.progressing.standing(pending, client)
        match visit.parameters.get("step"):
            case Step.LOGIN.value:
                return await self._login(standing, visit, cookie, request_id)
            case step if step == FACTOR_STEP:
                return await self.factor.submit(Asking(standing, visit, cookie, request_id))
            case Step.CONSENT.value:
                return await self._consent(standing, visit, request_id)
            case _:
                return LOST

    async def _login(
        self, standing: Standing, visit: Visit, cookie: Cookie, request_id: str
    ) -> Reaction:
        email = visit.parameters.get("email")
        attempt = PasswordAttempt(
            standing.pending.tenant, email, visit.parameters.get("password"), visit.origin
        )
        try:
            outcome = await self.authenticate(attempt)
        except InputInvalid:
            outcome = Refused()
        except (AccountDisabled, EmailNotVerified) as exc:
            return login_again(standing, cookie, request_id, exc.message, email=email)
        match outcome:
            case Authenticated(user) if await self.factor.owed_by(user):
                return problem(ENROL_FIRST, 403)
            case Authenticated():
                fresh = await self.log_in(outcome, visit, cookie)
                return Sent(f"{visit.issuer}/oauth2/continue?id={request_id}", fresh.to_set)
            case FactorRequired():
                return await self.factor.ask(outcome, Asking(standing, visit, cookie, request_id))
            case Refused(retry_after):
                said = WRONG if retry_after is None else TOO_MANY
                return login_again(
                    standing, cookie, request_id, said, email=email, retry_after=retry_after
                )
            case _:
                assert_never(outcome)

    async def _consent(self, standing: Standing, visit: Visit, request_id: str) -> Reaction:
        if standing.step is Step.LOGIN:
            return Sent(f"{visit.issuer}/oauth2/continue?id={request_id}")
        match visit.parameters.get("decision"):
            case "allow":
                return await self.progressing.finish(
                    standing, visit.issuer, visit.origin, consented=True
                )
            case "deny":
                return await self.finishing.deny(standing.pending, visit.issuer)
            case _:
                return LOST
