"""The pages that links in mails lead to, and the one that asks for such a mail."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from gateway.ports.oauth import OAuthPage, OAuthPages
from gateway.routes.identity import TAG
from gateway.routes.pages import PageRoutes
from gateway.routes.public_address import PublicAddress
from gateway.routes.route import Parameter, Route

_TOKEN: Final = Parameter("token", "The token of the link", {"type": "string"})
_TENANT: Final = Parameter("tenant", "Which tenant the account belongs to", {"type": "string"})
_LOOKING: Final = "A page without scripts. Opening it uses nothing up; sending its form does."
_USING: Final = "The form's fields are those of the page, its `csrf` among them."


@dataclass(frozen=True, slots=True)
class AccountPageRoutes:
    """/account/…, for people who follow a link."""

    pages: OAuthPages
    address: PublicAddress

    def routes(self) -> Iterator[Route]:
        """The routes, each with its form."""
        make = PageRoutes(self.pages, self.address, TAG)
        path = "/account/forgot-password"
        yield make.get(
            OAuthPage.FORGOT_PASSWORD,
            path,
            "The page for a lost password",
            parameters=(_TENANT,),
        )
        yield make.post(
            OAuthPage.FORGOT_PASSWORD_SUBMIT,
            path,
            "Mail a link for a new password, from the form",
            "The answer is the same whether or not there is such an account.",
        )
        for show, submit, name, summary in (
            (
                OAuthPage.RESET_PASSWORD,
                OAuthPage.RESET_PASSWORD_SUBMIT,
                "reset-password",
                "a new password in the place of a lost one",
            ),
            (
                OAuthPage.INVITATION,
                OAuthPage.INVITATION_SUBMIT,
                "invitation",
                "the first password of an account",
            ),
            (
                OAuthPage.VERIFY_EMAIL,
                OAuthPage.VERIFY_EMAIL_SUBMIT,
                "verify-email",
                "the proof of an address",
            ),
            (
                OAuthPage.CONFIRM_EMAIL,
                OAuthPage.CONFIRM_EMAIL_SUBMIT,
                "confirm-email",
                "the proof of a new address",
            ),
        ):
            path = f"/account/{name}"
            yield make.get(show, path, f"The page for {summary}", _LOOKING, parameters=(_TOKEN,))
            yield make.post(submit, path, f"Send {summary}", _USING)
