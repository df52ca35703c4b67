"""The pages that links in mails lead to: a button, or a form for a new password, without a script.

Opening a page uses nothing up, since programs that look through mail open every link in it.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from auth_service.application.accounts.confirm_email import ConfirmEmail
from auth_service.application.accounts.set_password import SetPassword
from auth_service.application.oauth.browsing import (
    CSRF,
    AccountLinkPage,
    Cookie,
    MessagePage,
    Reaction,
    Shown,
    Visit,
    cookie_of,
)
from auth_service.application.opaque_tokens import digest_of, has_shape
from auth_service.application.ports import Audit, Randomness
from auth_service.application.ports.accounts import Accounts
from auth_service.application.use_case import UseCase
from auth_service.domain.account import PAGES, PASSWORD_PURPOSES, AccountToken, Purpose
from auth_service.domain.errors import (
    AccountChanged,
    AccountTokenRefused,
    EmailTaken,
    InputInvalid,
)
from chassis.clock import Clock
from chassis.errors import FieldProblem

FORGOT: Final = "/account/forgot-password"


@dataclass(frozen=True, slots=True)
class Words:
    """What a page says. *lead* is followed by the address that the link was mailed to."""

    title: str
    lead: str
    button: str
    done: tuple[str, str]
    """A title, and what has happened."""
    again: str
    """How one comes by another link."""


WORDS: Final = {
    Purpose.RESET_PASSWORD: Words(
        "Choose a new password",
        "for the account",
        "Set the password",
        ("Your password is set", "All sessions have ended. Sign in with the new password."),
        "Ask for a new one below.",
    ),
    Purpose.INVITATION: Words(
        "Choose a password",
        "Welcome. It is for your new account,",
        "Set the password",
        ("Your password is set", "You can sign in now."),
        "Ask whoever invited you for a new one.",
    ),
    Purpose.VERIFY_EMAIL: Words(
        "Confirm your e-mail address",
        "Confirm that this address is yours:",
        "Confirm",
        ("Your address is confirmed", "Thank you. You can close this page."),
        "If your address is not confirmed yet, have another mail sent.",
    ),
    Purpose.CHANGE_EMAIL: Words(
        "Confirm your new e-mail address",
        "From now on your account is to have the address",
        "Confirm",
        ("Your address is changed", "Sign in with the new address from now on."),
        "If your address is not changed yet, change it once more.",
    ),
}


@dataclass(frozen=True, slots=True)
class LinkDesk:
    """Looks at links without using them up, and shows what they are for."""

    purpose: Purpose
    accounts: Accounts
    randomness: Randomness
    clock: Clock

    def cookie(self, visit: Visit) -> Cookie:
        """This browser's cookie."""
        return cookie_of(visit, self.randomness)

    def is_ours(self, visit: Visit) -> bool:
        """Whether the form comes from a page that this browser was shown."""
        return self.cookie(visit).accepts(visit.parameters.get("csrf"), self._form)

    async def find(self, visit: Visit) -> AccountToken | None:
        """What the link is good for, None when it is good for nothing."""
        text = visit.parameters.get("token")
        if not has_shape(text):
            return None
        now = self.clock.now()
        return await self.accounts.find_token(digest_of(text), (self.purpose,), now)

    def page(
        self, visit: Visit, token: AccountToken, status: int = 200, problems: tuple[str, ...] = ()
    ) -> Shown:
        """The page, with what was wrong."""
        cookie, words = self.cookie(visit), WORDS[self.purpose]
        view = AccountLinkPage(
            path=PAGES[self.purpose],
            title=words.title,
            lead=words.lead,
            button=words.button,
            csrf=cookie.csrf(self._form),
            token=visit.parameters.get("token"),
            email=token.email.text,
            password=self.purpose in PASSWORD_PURPOSES,
            problems=problems,
        )
        return Shown(view, status, cookie.to_set)

    def useless(self) -> Shown:
        """The link is good for nothing (any more)."""
        onward = None
        if self.purpose is Purpose.RESET_PASSWORD:
            onward = (FORGOT, "Ask for a new link")
        said = f"The link is used, expired, or not whole. {WORDS[self.purpose].again}"
        return Shown(MessagePage("This link is not good any more", said, onward=onward), 400)

    @property
    def _form(self) -> str:
        return f"account:{self.purpose.value}"


@dataclass(frozen=True, slots=True)
class ShowLinkPageHandler:
    """Shows what a link is for."""

    desk: LinkDesk

    async def __call__(self, visit: Visit) -> Reaction:
        token = await self.desk.find(visit)
        return self.desk.useless() if token is None else self.desk.page(visit, token)


@dataclass(frozen=True, slots=True)
class SubmitLinkPageHandler:
    """Uses a link up."""

    desk: LinkDesk
    use: Callable[[Visit], Awaitable[None]]
    audit: Audit

    async def __call__(self, visit: Visit) -> Reaction:
        desk = self.desk
        if not desk.is_ours(visit):
            return CSRF
        token = await desk.find(visit)
        if token is None:
            self.audit.record("account_link_refused", network=visit.origin.network)
            return desk.useless()
        try:
            await self.use(visit)
        except AccountTokenRefused:
            return desk.useless()
        except InputInvalid as exc:
            return desk.page(visit, token, 422, tuple(each.message for each in exc.details))
        except (EmailTaken, AccountChanged) as exc:
            return desk.page(visit, token, 409, (exc.message,))
        title, said = WORDS[desk.purpose].done
        return Shown(MessagePage(title, said, is_problem=False))


@dataclass(frozen=True, slots=True)
class PasswordByPage:
    """Sets the password that was typed in twice. Raises what `SetPasswordHandler` raises."""

    set_password: UseCase[SetPassword, None]

    async def __call__(self, visit: Visit) -> None:
        said = visit.parameters
        if said.get("password") != said.get("repeated"):
            raise InputInvalid([FieldProblem("repeated", "The two passwords are not the same")])
        await self.set_password(SetPassword(said.get("token"), said.get("password"), visit.origin))


@dataclass(frozen=True, slots=True)
class EmailByPage:
    """Confirms the address. Raises what `ConfirmEmailHandler` raises."""

    confirm_email: UseCase[ConfirmEmail, None]

    async def __call__(self, visit: Visit) -> None:
        await self.confirm_email(ConfirmEmail(visit.parameters.get("token"), visit.origin))
