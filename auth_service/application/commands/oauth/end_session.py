"""EndSession: a login in a browser ends (OpenID Connect RP-Initiated Logout 1.0)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from auth_service.application.key_ring import KeyRing
from auth_service.application.live_sessions import LiveSessions
from auth_service.application.oauth.browsing import (
    CSRF,
    Cookie,
    LogoutPage,
    MessagePage,
    Reaction,
    Sent,
    Shown,
    Visit,
    cookie_of,
    problem,
)
from auth_service.application.oauth.issuing import Issuing
from auth_service.application.ports import Users
from auth_service.application.ports.oauth import Browser, Browsers, IdTokens, OAuthClients
from auth_service.domain.oauth.redirects import form_target, is_registered
from auth_service.domain.session import RevocationReason
from auth_service.domain.signing_key import ID_USES
from chassis.audit import Audit

PURPOSE: Final = "logout"
_OUT: Final = MessagePage("You are signed out", "You can close this page.", is_problem=False)
_CARRIED: Final = ("id_token_hint", "client_id", "post_logout_redirect_uri", "state")


@dataclass(frozen=True, slots=True)
class _Wish:
    """What the request asks for, checked."""

    hinted_session: str
    """The login that the client means, "" when it did not prove that it knows one."""
    back_to: str


class _Refused(Exception):
    """The request is not what it claims."""


@dataclass(frozen=True, slots=True)
class EndSessionHandler:
    """Ends the login at once for a client that shows an ID token of it, else asks the user."""

    clients: OAuthClients
    browsers: Browsers
    users: Users
    id_tokens: IdTokens
    ring: KeyRing
    issuing: Issuing
    live: LiveSessions
    audit: Audit

    async def __call__(self, visit: Visit) -> Reaction:
        try:
            wish = await self._wish(visit)
        except _Refused as exc:
            return problem(str(exc))
        cookie, browser = await self._browser(visit)
        if browser is None:
            return _out(wish)
        if wish.hinted_session == browser.login.session_id:
            return await self._end(browser, wish)
        return await self._ask(browser, visit, cookie)

    async def confirmed(self, visit: Visit) -> Reaction:
        """The user said yes on the page that asked."""
        cookie, browser = await self._browser(visit)
        if not cookie.accepts(visit.parameters.get("csrf"), PURPOSE):
            return CSRF
        try:
            wish = await self._wish(visit)
        except _Refused as exc:
            return problem(str(exc))
        return _out(wish) if browser is None else await self._end(browser, wish)

    async def _browser(self, visit: Visit) -> tuple[Cookie, Browser | None]:
        cookie = cookie_of(visit, self.issuing.randomness)
        if cookie.is_new:
            return cookie, None
        return cookie, await self.browsers.find(cookie.digest, self.issuing.clock.now())

    async def _wish(self, visit: Visit) -> _Wish:
        parameters = visit.parameters
        if parameters.repeated:
            raise _Refused("The request says something twice.")
        claims = self._hint(parameters.get("id_token_hint"), visit.issuer)
        client_id = parameters.get("client_id") or str(claims.get("aud", ""))
        if claims and claims.get("aud") != client_id:
            raise _Refused("The request names two applications.")
        back_to = parameters.get("post_logout_redirect_uri")
        if back_to:
            client = await self.clients.find(client_id) if client_id else None
            if client is None or not is_registered(
                back_to, client.post_logout_redirect_uris, native=client.native
            ):
                raise _Refused("The application has not registered where it wants to go back to.")
            state = parameters.get("state")
            if state:
                mark = "&" if "?" in back_to else "?"
                back_to = f"{back_to}{mark}{urlencode({'state': state[:2048]})}"
        return _Wish(str(claims.get("sid", "")), back_to)

    def _hint(self, token: str, issuer: str) -> Mapping[str, object]:
        if not token:
            return {}
        keys = [key for use in ID_USES for key in self.ring.verifying(use)]
        claims = self.id_tokens.read_hint(token, keys, issuer)
        if claims is None:
            raise _Refused("The id_token_hint is not one of ours.")
        return claims

    async def _ask(self, browser: Browser, visit: Visit, cookie: Cookie) -> Reaction:
        user = await self.users.find(browser.tenant, browser.login.user_id)
        values = visit.parameters.values
        hidden = tuple((name, values[name]) for name in _CARRIED if name in values)
        back_to = visit.parameters.get("post_logout_redirect_uri")
        return Shown(
            LogoutPage(
                cookie.csrf(PURPOSE),
                user.email.text if user else "",
                hidden,
                form_target(back_to) if back_to else "",
            )
        )

    async def _end(self, browser: Browser, wish: _Wish) -> Reaction:
        ended = await self.browsers.end(browser, self.issuing.ending(RevocationReason.LOGOUT))
        for session_id in ended:
            self.live.forget(session_id)
        self.audit.record(
            "logged_out",
            tenant=browser.tenant,
            actor=browser.login.user_id,
            session_id=browser.login.session_id,
        )
        return _out(wish)


def _out(wish: _Wish) -> Reaction:
    """Back to the client, or nowhere; the cookie goes."""
    return Sent(wish.back_to, cookie="") if wish.back_to else Shown(_OUT, cookie="")
