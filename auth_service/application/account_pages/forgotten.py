"""The page of those who have lost their password. It says the same to all, known or not."""

from dataclasses import dataclass
from typing import Final

from auth_service.application.accounts.request_link import RequestLink
from auth_service.application.oauth.browsing import (
    CSRF,
    ForgotPasswordPage,
    MessagePage,
    Reaction,
    Shown,
    Visit,
    cookie_of,
)
from auth_service.application.ports import Randomness
from auth_service.application.use_case import UseCase
from auth_service.domain.account import Purpose
from auth_service.domain.errors import InputInvalid, TooManyRequests
from auth_service.domain.tenant import DEFAULT_TENANT

_FORM: Final = "account:forgot-password"
_MAX_TENANT: Final = 63
_ON_ITS_WAY: Final = (
    "If there is an account with this address, a mail with a link is on its way to it. The link is "
    "good for a short time, and once."
)
_NO_MAIL: Final = (
    "No mail server is configured here, so no mail can be sent: ask your administrator."
)
_NO_ADDRESS: Final = "Type in the e-mail address of your account."
_TOO_MANY: Final = "Too many mails were asked for. Wait a while, then try again."


@dataclass(frozen=True, slots=True)
class Forgotten:
    """The page; *several* when there is more than one tenant."""

    randomness: Randomness
    several: bool

    def shown(
        self, visit: Visit, status: int = 200, problem: str = "", retry_after: float | None = None
    ) -> Shown:
        """The page, filled in as far as it was, with what was wrong."""
        cookie = cookie_of(visit, self.randomness)
        view = ForgotPasswordPage(
            csrf=cookie.csrf(_FORM),
            tenant=tenant_of(visit),
            asks_tenant=self.several,
            email=visit.parameters.get("email") if problem else "",
            problem=problem,
        )
        return Shown(view, status, cookie.to_set, retry_after)

    async def __call__(self, visit: Visit) -> Reaction:
        return self.shown(visit)


@dataclass(frozen=True, slots=True)
class SubmitForgottenHandler:
    """Has the link mailed, to whoever there is."""

    page: Forgotten
    request_link: UseCase[RequestLink, bool]

    async def __call__(self, visit: Visit) -> Reaction:
        cookie = cookie_of(visit, self.page.randomness)
        if not cookie.accepts(visit.parameters.get("csrf"), _FORM):
            return CSRF
        email = visit.parameters.get("email").strip()
        wanted = RequestLink(tenant_of(visit), email, Purpose.RESET_PASSWORD, visit.origin)
        try:
            sent = await self.request_link(wanted)
        except InputInvalid:
            return self.page.shown(visit, 422, _NO_ADDRESS)
        except TooManyRequests as exc:
            return self.page.shown(visit, 429, _TOO_MANY, exc.retry_after)
        if not sent:
            return Shown(MessagePage("No mail can be sent", _NO_MAIL))
        return Shown(MessagePage("Look into your mail", _ON_ITS_WAY, is_problem=False))


def tenant_of(visit: Visit) -> str:
    """Whose password it is about."""
    return visit.parameters.get("tenant").strip()[:_MAX_TENANT] or DEFAULT_TENANT
