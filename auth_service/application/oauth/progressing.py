"""How far an authorization request is, and what its user has to do next."""

from collections.abc import Sequence
from dataclasses import dataclass

from auth_service.application.oauth.browsing import (
    ConsentPage,
    Cookie,
    LoginPage,
    Reaction,
    Shown,
    problem,
)
from auth_service.application.oauth.finishing import Finishing, Ready
from auth_service.application.ports import Users
from auth_service.application.ports.oauth import Browser, Browsers, Consents, OAuthClients, Pending
from auth_service.application.role_books import RoleBooks
from auth_service.domain.oauth.authorization import Progress, Step, next_step
from auth_service.domain.oauth.client import Client, GrantType
from auth_service.domain.oauth.redirects import form_target
from auth_service.domain.oauth.scopes import OFFLINE, described, effective_scopes
from auth_service.domain.session import Origin
from auth_service.domain.user import User
from chassis.clock import Clock


@dataclass(frozen=True, slots=True)
class Standing:
    """A request, who is logged in with its browser, and what comes next."""

    pending: Pending
    client: Client
    step: Step
    browser: Browser | None = None
    user: User | None = None
    scopes: tuple[str, ...] = ()
    remembered: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Progressing:
    """Looks at requests; finishes those for which nothing is left to do."""

    clients: OAuthClients
    browsers: Browsers
    consents: Consents
    users: Users
    books: RoleBooks
    finishing: Finishing
    clock: Clock

    async def standing(self, pending: Pending, client: Client) -> Standing:
        """How far *pending* is."""
        now = self.clock.now()
        browser = await self.browsers.find(pending.browser, now)
        user = await self._user_of(browser, client)
        if browser is None or user is None:
            return Standing(pending, client, Step.LOGIN)
        scopes = await self._scopes_for(user, client, pending.request.scopes)
        remembered = await self.consents.find(user.id, client.id)
        progress = Progress(
            pending.started_at, browser.login, pending.consented, pending.hinted_user
        )
        known = client.first_party or set(remembered).issuperset(scopes)
        step = next_step(pending.request, progress, remembered=known, now=now)
        return Standing(pending, client, step, browser, user, scopes, remembered)

    async def finish(
        self, standing: Standing, issuer: str, origin: Origin, *, consented: bool
    ) -> Reaction:
        """Give the client what it asked for; *consented* when the user has just agreed."""
        if standing.browser is None or standing.user is None:
            return problem("Nobody is logged in")
        consent = None
        if consented:
            consent = sorted({*standing.remembered, *standing.scopes})
        ready = Ready(
            standing.pending,
            standing.client,
            standing.user,
            standing.browser,
            standing.scopes,
            consent,
        )
        return await self.finishing.grant(ready, issuer, origin)

    async def _user_of(self, browser: Browser | None, client: Client) -> User | None:
        if browser is None or browser.tenant != client.tenant:
            return None
        user = await self.users.find(browser.tenant, browser.login.user_id)
        return user if user is not None and user.active else None

    async def _scopes_for(
        self, user: User, client: Client, wanted: Sequence[str]
    ) -> tuple[str, ...]:
        held = await self.books.permissions_of(user.tenant, user.roles)
        scopes = effective_scopes(wanted, held)
        if GrantType.REFRESH_TOKEN in client.grants:
            return scopes
        return tuple(scope for scope in scopes if scope != OFFLINE)


def page_for(
    standing: Standing, cookie: Cookie, request_id: str, *, email: str = "", said: str = ""
) -> Shown:
    """The page on which the user does what comes next."""
    pending, client = standing.pending, standing.client
    csrf = cookie.csrf(request_id)
    target = "" if pending.request.device else form_target(pending.request.redirect_uri)
    if standing.step is Step.LOGIN or standing.user is None:
        hint = email or pending.request.login_hint
        page = LoginPage(request_id, csrf, client.name, hint, said, target, pending.tenant)
        return Shown(page, cookie=cookie.to_set)
    consent = ConsentPage(
        request_id,
        csrf,
        client.name,
        standing.user.email.text,
        [described(scope) for scope in standing.scopes],
        user_code=bool(pending.request.device),
        form_target=target,
    )
    return Shown(consent, cookie=cookie.to_set)


def login_again(
    standing: Standing,
    cookie: Cookie,
    request_id: str,
    said: str,
    *,
    email: str = "",
    retry_after: float | None = None,
) -> Shown:
    """The login page once more, with what was wrong."""
    anew = Standing(standing.pending, standing.client, Step.LOGIN)
    shown = page_for(anew, cookie, request_id, email=email, said=said)
    status = 401 if retry_after is None else 429
    return Shown(shown.view, status, shown.cookie, retry_after)
