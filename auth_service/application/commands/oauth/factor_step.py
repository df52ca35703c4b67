"""The page on which a user gives a second factor."""

from dataclasses import dataclass
from typing import Final

from auth_service.application.authentication import Authenticated, FactorRequired
from auth_service.application.mfa.pending import PendingLogins, login_subject
from auth_service.application.mfa.remembered import RememberedDevices
from auth_service.application.mfa.sending import CodeSending
from auth_service.application.oauth.browser_login import BrowserLogin
from auth_service.application.oauth.browsing import Cookie, FactorPage, Reaction, Sent, Shown, Visit
from auth_service.application.oauth.progressing import Standing, login_again
from auth_service.application.owned_methods import OwnedMethods
from auth_service.application.role_books import RoleBooks
from auth_service.domain.mfa.codes import tidy_recovery_code
from auth_service.domain.mfa.errors import (
    ChallengeBurnt,
    CodeRefused,
    MethodNotAvailable,
    MfaTokenRefused,
    SmsNotConfigured,
    TooManyCodes,
    TooManyCodesSent,
)
from auth_service.domain.mfa.factors import Method
from auth_service.domain.mfa.proofs import amr_of
from auth_service.domain.mfa_requirement import Requirement
from auth_service.domain.oauth.redirects import form_target
from auth_service.domain.user import User
from chassis.errors import Unavailable

FACTOR_STEP: Final = "factor"
SEND: Final = "send-"
"""What buttons that have a code sent say, before the method."""
WRONG_CODE: Final = "The code is not right, or was used before."
OVER: Final = "This took too long, or there were too many wrong codes. Sign in again."
ENROL_FIRST: Final = (
    "Your account needs a second factor. Set one up first (autoworker mfa setup), then go back to the "
    "application and start again."
)
SENT: Final = "A code is on its way to you."
NOT_SENT: Final = "No more codes can be sent now. Wait a while, or use another way."


@dataclass(frozen=True, slots=True)
class Asking:
    """The request that a browser goes on with, and the browser."""

    standing: Standing
    visit: Visit
    cookie: Cookie
    request_id: str


@dataclass(frozen=True, slots=True)
class FactorStep:
    """Asks for a code, and logs the user in who gives it."""

    pending: PendingLogins
    owned: OwnedMethods
    sending: CodeSending
    remembered: RememberedDevices
    log_in: BrowserLogin
    books: RoleBooks
    requirement: Requirement

    async def owed_by(self, user: User) -> bool:
        """Whether *user*, who has no second factor, must get one before anything else."""
        held = await self.books.permissions_of(user.tenant, user.roles)
        return self.requirement.concerns(held)

    async def ask(self, owed: FactorRequired, asking: Asking) -> Reaction:
        """The page, unless the browser is a remembered device of the user's."""
        if asking.visit.device:
            successor = await self.remembered.recognise(owed.user, asking.visit.device)
            if successor is not None:
                methods = amr_of(Method.PASSWORD, Method.DEVICE)
                return await self._enter(Authenticated(owed.user, methods), asking, successor)
        challenge = await self.pending.open(owed.user, owed.factors)
        return _page(asking, challenge.token, owed.factors)

    async def submit(self, asking: Asking) -> Reaction:
        """What the user said: a code, or that one should be sent."""
        said = asking.visit.parameters
        token, decision = said.get("mfa_token"), said.get("decision")
        try:
            if decision.startswith(SEND):
                return await self._send(asking, token, decision.removeprefix(SEND))
            return await self._verify(asking, token)
        except (MfaTokenRefused, ChallengeBurnt, TooManyCodes) as exc:
            return login_again(
                asking.standing,
                asking.cookie,
                asking.request_id,
                OVER,
                retry_after=exc.retry_after,
            )

    async def _verify(self, asking: Asking, token: str) -> Reaction:
        said = asking.visit.parameters
        code, chosen = said.get("code"), said.get("method")
        method = Method.RECOVERY if tidy_recovery_code(code) else _method(chosen)
        try:
            user = await self.pending.meet(token, method, code)
        except CodeRefused:
            return await self._again(asking, token, problem=WRONG_CODE, status=401)
        device = None
        if said.get("remember") == "yes":
            device = await self.remembered.remember(user, asking.visit.origin)
        outcome = Authenticated(user, amr_of(Method.PASSWORD, method))
        return await self._enter(outcome, asking, device)

    async def _send(self, asking: Asking, token: str, wanted: str) -> Reaction:
        challenge = await self.pending.find(token)
        user = await self.pending.owner_of(challenge)
        subject = login_subject(challenge.id)
        try:
            for factor in await self.owned.factors.confirmed(user.id):
                if factor.kind.value == wanted:
                    await self.sending.send(user, factor, subject=subject)
                    return await self._again(asking, token, notice=SENT, chosen=wanted)
        except (TooManyCodesSent, MethodNotAvailable, SmsNotConfigured, Unavailable):
            pass
        return await self._again(asking, token, problem=NOT_SENT, status=429)

    async def _enter(self, outcome: Authenticated, asking: Asking, device: str | None) -> Reaction:
        fresh = await self.log_in(outcome, asking.visit, asking.cookie)
        where = f"{asking.visit.issuer}/oauth2/continue?id={asking.request_id}"
        return Sent(where, fresh.to_set, device)

    async def _again(
        self,
        asking: Asking,
        token: str,
        *,
        problem: str = "",
        notice: str = "",
        chosen: str = "",
        status: int = 200,
    ) -> Reaction:
        challenge = await self.pending.find(token)
        methods = tuple(each.value for each in await self.owned.methods(challenge.user_id))
        chosen = chosen or asking.visit.parameters.get("method")
        return _page(
            asking, token, methods, problem=problem, notice=notice, chosen=chosen, status=status
        )


def _page(
    asking: Asking,
    token: str,
    methods: tuple[str, ...],
    *,
    problem: str = "",
    notice: str = "",
    chosen: str = "",
    status: int = 200,
) -> Shown:
    standing = asking.standing
    request = standing.pending.request
    codes = tuple(each for each in methods if each != Method.RECOVERY)
    page = FactorPage(
        request_id=asking.request_id,
        csrf=asking.cookie.csrf(asking.request_id),
        client_name=standing.client.name,
        mfa_token=token,
        methods=codes,
        recovery=Method.RECOVERY in methods,
        chosen=chosen if chosen in codes else codes[0] if codes else "",
        notice=notice,
        problem=problem,
        form_target="" if request.device else form_target(request.redirect_uri),
    )
    return Shown(page, status)


def _method(name: str) -> Method:
    return Method(name) if name in (Method.TOTP, Method.EMAIL, Method.SMS) else Method.TOTP
